"""A table as people write them, with text, empty cells and decimal commas, from the file to predictions."""

import random
import tempfile
from pathlib import Path

import tensorgrad as tg

NEW = "town;rooms;area\nUlm;2;60\nKöln;2;60\n"


def houses() -> str:
    """Prices of 120 made-up houses: 3,000 a square metre, 10,000 a room, and 50,000 more in Köln."""
    draw = random.Random(0)
    lines = ["rooms;area;town;price"]
    for i in range(120):
        rooms, area, town = draw.randint(1, 6), draw.uniform(40, 120), draw.choice(["Köln", "Ulm"])
        price = 3000 * area + 10000 * rooms + 50000 * (town == "Köln")
        shown = "" if i % 10 == 3 else f"{area:.1f}".replace(".", ",")
        lines.append(f"{rooms};{shown};{town};{price:.2f}".replace(".", ","))
    return "\n".join(lines)


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / "houses.csv").write_text(houses(), encoding="utf8")
    (folder / "new.csv").write_text(NEW, encoding="utf8")

    table = tg.data.read_csv(folder / "houses.csv", target="price", missing="nan")
    holes = ", ".join(f"{count} cells of {name}" for name, count in table.missing().items())
    print(f"features {', '.join(table.feature_names)}; {holes} are empty")

    # What is filled in and how it is scaled comes from the training part: the rest must be as new to the network.
    train, _, test = tg.data.train_val_test_split(table.dataset(dtype=tg.float64), val=0, test=0.25, seed=0)
    inputs, prices = train.tensors
    fill = tg.data.Imputer.fit(inputs, "mean")
    scale = tg.data.Standardizer.fit(fill.transform(inputs), skip=table.indicators)
    price = tg.data.Standardizer.fit(prices)

    def prepared(features: tg.Tensor) -> tg.Tensor:
        return scale.transform(fill.transform(features)).float()

    tg.manual_seed(0)
    model = tg.nn.MLP([len(table.feature_names), 16, 1])
    data = tg.data.TensorDataset(prepared(inputs), price.transform(prices).float())
    optimizer = tg.optim.AdamW(model.parameters(), lr=1e-2)
    tg.train.fit(model, data, tg.nn.MSELoss(), optimizer, epochs=150, batch_size=16, seed=0, progress=False)

    features, truth = test.tensors
    complete = features.isnan().logical_not().all(1)
    error = tg.train.predict(model, prepared(features[complete])).double() - price.transform(truth[complete])
    print(f"prices off by {error.square().mean().sqrt().item():.2f} of their deviation")
    new = tg.tensor(tg.data.read_csv_inputs(folder / "new.csv", table))
    ulm, koeln = price.inverse(tg.train.predict(model, prepared(new)).double()).reshape(-1).tolist()
    print(f"Ulm, 2 rooms, 60 square metres: {ulm:.0f}; in Köln {koeln:.0f}")


if __name__ == "__main__":
    main()
