"""The README's ten lines: an MLP learns the embedded handwritten digits."""

import tensorgrad as tg


def main() -> None:
    tg.manual_seed(0)
    train, val, test = tg.data.train_val_test_split(tg.data.digits(), val=0.15, test=0.15, seed=0)
    model = tg.nn.MLP([64, 128, 10], activation="relu", dropout=0.2)
    optimizer = tg.optim.Adam(model.parameters(), lr=3e-3)
    loss = tg.nn.CrossEntropyLoss()
    history = tg.train.fit(model, train, loss, optimizer, epochs=40, batch_size=32, validation=val, patience=8, seed=0)
    images, labels = test.tensors
    accuracy = (tg.train.predict(model, images).argmax(1) == labels).float().mean()
    print(f"test accuracy {accuracy:.1%} after {len(history.train_loss)} epochs")


if __name__ == "__main__":
    main()
