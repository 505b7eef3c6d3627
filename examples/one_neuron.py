"""One neuron, one step of gradient descent: the loss falls from 3.61 to 2.87 at a learning rate of 0.01.

The neuron computes w*x + b. With w = 1, b = 0 it answers 2.1 to x = 2.1, where 4 was wanted: the loss is 1.9^2 = 3.61.
"""

import tensorgrad as tg

LEARNING_RATE = 0.01


def main() -> None:
    x, target = tg.tensor(2.1), tg.tensor(4.0)
    w = tg.tensor(1.0, requires_grad=True)
    b = tg.tensor(0.0, requires_grad=True)

    loss = (w * x + b - target) ** 2
    loss.backward()
    assert w.grad is not None
    assert b.grad is not None
    print(f"prediction {(w * x + b):.2f}   loss {loss:.2f}")
    print(f"dloss/dw = 2 * (prediction - target) * x = {w.grad:.2f}")
    print(f"dloss/db = 2 * (prediction - target)     = {b.grad:.2f}")

    with tg.no_grad():
        w -= LEARNING_RATE * w.grad
        b -= LEARNING_RATE * b.grad
    loss = (w * x + b - target) ** 2
    print(f"after the step: w = {w:.4f}, b = {b:.4f}, loss {loss:.2f}")


if __name__ == "__main__":
    main()
