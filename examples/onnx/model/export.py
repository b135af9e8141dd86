"""Trains a pipeline with scikit-learn, and writes it as rent.onnx and its predictions of 50 rows as expected.json."""
import json
from pathlib import Path

import numpy as np
import pandas as pd
from onnx import TensorProto
from skl2onnx import to_onnx, update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxCast, OnnxEqual
from skl2onnx.shape_calculators.one_hot_encoder import calculate_sklearn_one_hot_encoder_output_shapes
from sklearn.compose import make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

OPSET = 18
# A district's number in the pipeline is its place in this list, as in `District` of src/lib.rs.
DISTRICTS = ["centre", "harbour", "hills", "station"]


def apartments(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Makes apartments and their monthly rents. The data are invented."""
    random = np.random.default_rng(7)
    table = pd.DataFrame({
        "area": random.uniform(15, 200, rows).round(1),
        "rooms": random.integers(1, 8, rows),
        "year": random.integers(1880, 2026, rows),
        "has_balcony": random.integers(0, 2, rows),
        "district": random.integers(0, len(DISTRICTS), rows),
    }).astype(np.float32)
    per_square_metre = np.array([17.0, 15.0, 13.0, 11.0])[table.district.astype(int)]
    per_square_metre += 4 * ((table.year - 1950) / 75) ** 2 - table.area / 60
    rent = table.area * per_square_metre + 25 * table.rooms + 60 * table.has_balcony
    return table, (rent + random.normal(0, 40, rows)).to_numpy()


def convert_one_hot(scope, operator, container):
    """Writes a one-hot encoding with ONNX's standard operators, to which its `OneHotEncoder` does not belong."""
    (categories,) = operator.raw_operator.categories_
    equal = OnnxEqual(operator.inputs[0], categories[None].astype(np.float32), op_version=OPSET)
    OnnxCast(equal, to=TensorProto.FLOAT, op_version=OPSET, output_names=operator.outputs[:1]).add_to(scope, container)


inputs, rents = apartments(4000)
train, test, train_rents, test_rents = train_test_split(inputs, rents, random_state=7)
columns = make_column_transformer(
    (StandardScaler(), ["area", "rooms", "year", "has_balcony"]),
    (OneHotEncoder(), ["district"]),
)
network = MLPRegressor(hidden_layer_sizes=[32, 16], solver="lbfgs", max_iter=2000, tol=10, random_state=7)
pipeline = make_pipeline(columns, network).fit(train, train_rents)
print(f"r² of {len(test)} test rows: {pipeline.score(test, test_rents):.4f}")

folder = Path(__file__).parent
update_registered_converter(
    OneHotEncoder,
    "SklearnOneHotEncoder",
    calculate_sklearn_one_hot_encoder_output_shapes,
    convert_one_hot,
    overwrite=True,
)
# Without `Scaler`, the scaling is written with standard operators as well.
onnx = to_onnx(pipeline, train[:1], target_opset=OPSET, black_op={"Scaler"})
(folder / "rent.onnx").write_bytes(onnx.SerializeToString())

rows = test[:50]
expected = [
    {
        "input": {
            "area": round(float(row.area), 1),
            "rooms": int(row.rooms),
            "year": int(row.year),
            "has_balcony": bool(row.has_balcony),
            "district": DISTRICTS[int(row.district)],
        },
        "rent": float(rent),
    }
    for row, rent in zip(rows.itertuples(), pipeline.predict(rows.astype(np.float64)))
]
lines = ",\n".join(json.dumps(row) for row in expected)
(folder / "expected.json").write_text(f"[\n{lines}\n]\n")
