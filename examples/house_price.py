"""The worked example: a network of two hidden ReLU neurons predicts the price of a house, and learns for one step.

Every number can be checked by hand: prediction 925, loss 330,625, six gradients, six updated weights, and the second
loss 122,500. It also shows what the second loss hides: after the step both ReLUs are dead, and no further step can
change anything.
"""

import tensorgrad as tg
from tensorgrad.nn import functional as F

LEARNING_RATE = 1e-7


def forward(x: tg.Tensor, hidden: tg.Tensor, output: tg.Tensor) -> tuple[tg.Tensor, tg.Tensor]:
    """The hidden layer's weighted sums (2,) and the prediction, for inputs x (2,)."""
    z = hidden @ x
    return z, output @ F.relu(z)


def show(title: str, hidden: tg.Tensor, output: tg.Tensor, places: int) -> None:
    print(title)
    for name, value in zip(("w11", "w12", "w21", "w22"), hidden.flatten().tolist(), strict=True):
        print(f"  {name} = {value:,.{places}f}")
    for name, value in zip(("w31", "w32"), output.tolist(), strict=True):
        print(f"  {name} = {value:,.{places}f}")


def main() -> None:
    x = tg.tensor([2000.0, 3.0], dtype=tg.float64)  # square feet, bedrooms
    price = tg.tensor(350.0, dtype=tg.float64)  # thousands of dollars
    hidden = tg.tensor([[0.001, 10.0], [0.002, 5.0]], dtype=tg.float64, requires_grad=True)
    output = tg.tensor([20.0, 15.0], dtype=tg.float64, requires_grad=True)

    z, prediction = forward(x, hidden, output)
    loss = (price - prediction) ** 2
    print(f"hidden sums {z.tolist()}   prediction {prediction:,.0f}   loss {loss:,.0f}")

    loss.backward()
    assert hidden.grad is not None
    assert output.grad is not None
    show("gradients", hidden.grad, output.grad, places=0)

    with tg.no_grad():
        hidden -= LEARNING_RATE * hidden.grad
        output -= LEARNING_RATE * output.grad
    show("weights after one step", hidden.detach(), output.detach(), places=5)

    hidden.grad = output.grad = None
    z, prediction = forward(x, hidden, output)
    loss = (price - prediction) ** 2
    print(f"hidden sums {[round(v, 2) for v in z.tolist()]}   prediction {prediction:,.0f}   loss {loss:,.0f}")

    loss.backward()
    assert hidden.grad is not None
    assert output.grad is not None
    dead = not hidden.grad.any() and not output.grad.any()
    print(
        "The loss fell, but not because the network learned: the step was so large for the weights of the square\n"
        "feet that both hidden sums are negative. Both ReLUs output 0, so their slope is 0, and so is every\n"
        f"gradient ({'all six are exactly 0' if dead else 'not all are 0'}): both ReLUs have died, and no further "
        "step can revive them.\nThe remedy is to scale the inputs, to take smaller steps, or to use a leaky ReLU."
    )


if __name__ == "__main__":
    main()
