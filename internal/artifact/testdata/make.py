"""Makes the files of real/ with the libraries that people use, and prints their versions.

    pip install numpy scikit-learn joblib safetensors onnx gguf h5py
    python make.py real

Everything is small, seeded and harmless. PyTorch is not needed: its two files are written here in
its layout (torch/serialization.py), with the names that it pickles.
"""

import importlib.metadata
import io
import json
import pathlib
import pickle
import struct
import sys
import tarfile
import warnings
import zipfile
from collections import OrderedDict

import gguf
import h5py
import joblib
import numpy as np
import onnx
from onnx import TensorProto, helper
from safetensors.numpy import save_file
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")
out = pathlib.Path(sys.argv[1])
out.mkdir(exist_ok=True)
rng = np.random.default_rng(7)


class Named:
    """Stands for a global of a library that is not installed."""

    def __init__(self, module, name):
        self.__module__, self.__qualname__, self.__name__ = module, name, name


class Torch(pickle._Pickler):
    """Pickles tensors as torch.save does: protocol 2, storages by persistent id."""

    def persistent_id(self, obj):
        return obj.pid if isinstance(obj, Storage) else None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, Named):
            self.write(b"c" + obj.__module__.encode() + b"\n" + obj.__name__.encode() + b"\n")
        else:
            super().save(obj, save_persistent_id)


class Storage:
    def __init__(self, key, count):
        self.pid = ("storage", Named("torch", "FloatStorage"), key, "cpu", count)


class Tensor:
    def __init__(self, key, shape):
        count = int(np.prod(shape))
        stride = tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
        self.args = (Storage(key, count), 0, shape, stride, False, OrderedDict())

    def __reduce__(self):
        raise NotImplementedError

    def __reduce_ex__(self, protocol):
        return (rebuild, self.args)


def rebuild(*args):
    raise NotImplementedError


class TorchPickler(Torch):
    def save(self, obj, save_persistent_id=True):
        if obj is rebuild:
            obj = Named("torch._utils", "_rebuild_tensor_v2")
        super().save(obj, save_persistent_id)


def torch_pickle(obj):
    b = io.BytesIO()
    TorchPickler(b, 2).dump(obj)
    return b.getvalue()


def stored(path, members, compress=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compress) as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, compress)


data = {"weights": [1.5, -2, 10**12], "name": "m\u00e9", "flags": (True, None), "bytes": b"\x00\xff", "set": {1}}
for protocol in range(6):
    (out / f"data.{protocol}.pkl").write_bytes(pickle.dumps(data, protocol))
    (out / f"array.{protocol}.pkl").write_bytes(pickle.dumps({"w": np.arange(6.0).reshape(2, 3), "s": np.float64(2)}, protocol))

x = rng.normal(size=(40, 3))
y = (x[:, 0] > 0).astype(int)
linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
forest = RandomForestClassifier(2, max_depth=2, random_state=0).fit(x, y)
(out / "linear.pkl").write_bytes(pickle.dumps(linear, 5))
(out / "forest.pkl").write_bytes(pickle.dumps(forest, 4))
joblib.dump(linear, out / "linear.joblib")
joblib.dump(forest, out / "forest.joblib.z", compress=("zlib", 9))
joblib.dump({"names": np.array(["a", None], dtype=object), "w": np.arange(4, dtype=np.float32)}, out / "objects.joblib")

np.save(out / "w.npy", np.arange(6, dtype=np.float32).reshape(2, 3))
np.save(out / "objects.npy", np.array([{"a": 1}, None], dtype=object), allow_pickle=True)
np.savez_compressed(out / "w.npz", a=np.zeros(4), b=np.ones((2, 2), dtype=np.int8))

save_file({"a": np.zeros((2, 3), dtype=np.float32), "b": np.ones(4, dtype=np.int8)}, out / "w.safetensors", metadata={"format": "np", "author": "test"})

weight = helper.make_tensor("w", TensorProto.FLOAT, [3, 2], range(6))
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Softmax", ["h"], ["y"])],
    "credit",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
    [weight],
)
model = helper.make_model(graph, producer_name="make.py", producer_version="1", opset_imports=[helper.make_opsetid("", 17)])
helper.set_model_props(model, {"author": "test"})
onnx.checker.check_model(model)
onnx.save(model, out / "w.onnx")
outside = helper.make_tensor("w", TensorProto.FLOAT, [3, 2], range(6))
outside.ClearField("float_data")
outside.data_location = TensorProto.EXTERNAL
for key, value in {"location": "weights/w.bin", "offset": "0", "length": "24"}.items():
    entry = outside.external_data.add()
    entry.key, entry.value = key, value
del graph.initializer[:]
graph.initializer.append(outside)
graph.node.append(helper.make_node("Decide", ["y"], ["z"], domain="com.example"))
(out / "external.onnx").write_bytes(
    helper.make_model(graph, producer_name="make.py", opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.example", 1)]).SerializeToString()
)

w = gguf.GGUFWriter(out / "w.gguf", "llama")
w.add_name("tiny")
w.add_author("test")
w.add_uint32("llama.block_count", 1)
w.add_token_list(["a", "b", "c"])
w.add_chat_template("{{ messages }}")
w.add_tensor("output.weight", np.zeros((4, 8), dtype=np.float32))
w.add_tensor("token.weight", np.zeros((2, 32), dtype=np.float16))
w.write_header_to_file()
w.write_kv_data_to_file()
w.write_tensors_to_file()
w.close()

state = OrderedDict(weight=Tensor("0", (2, 3)), bias=Tensor("1", (2,)))
storages = {"0": struct.pack("<6f", *range(6)), "1": struct.pack("<2f", 0, 1)}
stored(
    out / "state.pt",
    {"state/data.pkl": torch_pickle(state), "state/byteorder": "little", "state/version": "3\n"}
    | {f"state/data/{k}": v for k, v in storages.items()},
)
(out / "legacy.pt").write_bytes(
    b"".join(pickle.dumps(v, 2) for v in (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}))
    + torch_pickle(state)
    + pickle.dumps(["0", "1"], 2)
    + b"".join(struct.pack("<q", len(v) // 4) + v for v in storages.values())
)

dense = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 1}, "registered_name": None}
body = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": [dense]}}
h5 = io.BytesIO()
with h5py.File(h5, "w") as f:
    f["layers/dense/vars/0"] = np.zeros((3, 1), dtype=np.float32)
metadata = json.dumps({"keras_version": "3.8.0"})
stored(out / "m.keras", {"metadata.json": metadata, "config.json": json.dumps(body), "model.weights.h5": h5.getvalue()}, zipfile.ZIP_DEFLATED)
(out / "w.h5").write_bytes(h5.getvalue())

with tarfile.open(out / "model.tar.gz", "w:gz") as t:
    for name in ("w.safetensors", "w.npy"):
        info = tarfile.TarInfo(f"./{name}")
        content = (out / name).read_bytes()
        info.size = len(content)
        t.addfile(info, io.BytesIO(content))

for package in ("numpy", "scikit-learn", "joblib", "safetensors", "onnx", "gguf", "h5py"):
    print(package, importlib.metadata.version(package))
