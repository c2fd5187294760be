"""What the scripts of this folder share: models, weights by a formula, a picture, safetensors in 20 lines.

Needs Debian 12's python3-torchvision (0.14.1), python3-pil, python3-numpy.
"""
import json
import math
import os
import struct

import numpy as np
import torch
import torchvision
from PIL import Image

CLASSES = 1000
SIDE = 64  # of the pictures: the smallest that all three take
PICTURE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "images", "photo.png")

MODELS = {  # Basin's name: torchvision's network for pictures of SIDE x SIDE
    "resnet18-imagenet": lambda: torchvision.models.resnet18(),
    "resnet50-imagenet": lambda: torchvision.models.resnet50(),
    "vit-b-32": lambda: torchvision.models.VisionTransformer(
        image_size=SIDE, patch_size=32, num_layers=12, num_heads=12, hidden_dim=768, mlp_dim=3072),
}


def uniform(name, count):
    """Numbers in [-1, 1) by name and index: FNV-1a of the name, then a 32-bit mix (tests/torch/formula.h)."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32
    x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2.0**31 - 1.0


def by_formula(name, shape):
    """A tensor of a network, as its file has it, f32; sizes keep activations near 1."""
    u = uniform(name, int(np.prod(shape, dtype=np.int64)))
    if name.endswith("running_var"):
        values = 1.0 + 0.25 * u
    elif len(shape) == 1:
        values = 1.0 + 0.1 * u if name.endswith("weight") else 0.1 * u
    elif len(shape) == 3:  # class token, positions
        values = 0.5 * u
    else:
        gain = 6.0 if len(shape) == 4 else 3.0
        values = math.sqrt(gain / int(np.prod(shape[1:]))) * u
    return values.astype(np.float32).reshape(shape)


def fill_by_formula(model):
    state = model.state_dict()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            tensor.copy_(torch.from_numpy(by_formula(name, tuple(tensor.shape))))
    return model.eval()


def picture(height, width):
    """tests/data/images/photo.png, repeated to the size, normalised as ImageNet's: {1,3,H,W} in f64."""
    pixels = np.asarray(Image.open(PICTURE).convert("RGB"), dtype=np.float64)
    rows, columns = np.arange(height) % pixels.shape[0], np.arange(width) % pixels.shape[1]
    x = pixels[rows][:, columns] / 255.0
    x = (x - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    return torch.from_numpy(x.astype(np.float32).transpose(2, 0, 1)[None].astype(np.float64))


def save(path, tensors):
    """A dict of numpy arrays as a safetensors file."""
    names = {"float32": "F32", "float64": "F64", "int64": "I64"}
    header, blobs, at = {"__metadata__": {"format": "pt"}}, [], 0
    for name, array in tensors.items():
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": names[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def load(path):
    """A safetensors file as a dict of numpy arrays."""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    types = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
    arrays = {}
    for name, entry in json.loads(data[8:start]).items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        array = np.frombuffer(data[start + begin:start + end], dtype=types[entry["dtype"]])
        arrays[name] = array.reshape(entry["shape"])
    return arrays
