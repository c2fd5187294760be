#!/usr/bin/env python3
"""Writes the seed corpora: a few small files of each format, from which the fuzz targets start.

usage: make_corpus.py [DIR]    DIR: where a folder for each target goes [corpus, beside this script]

PNG and JPEG start from tests/data/images.
"""
import gzip
import io
import json
import pathlib
import struct
import sys
import tarfile
import zipfile


def safetensors(header, data=b""):
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def npy(dictionary, data, version=1):
    text = dictionary.encode()
    head = 10 if version == 1 else 12
    text += b" " * (63 - (head + len(text)) % 64) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + data


def npz(members, method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def tar(kind, names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=kind) as archive:
        for i, name in enumerate(names):
            member = tarfile.TarInfo(name)
            member.size = 3 * i + 1
            archive.addfile(member, io.BytesIO(b"x" * member.size))
        folder = tarfile.TarInfo("folder")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
    return out.getvalue().rstrip(b"\0") + b"\0" * 1024  # one end mark is enough


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def corpora():
    floats = struct.pack("<6f", 1, -2, 3.5, 0, 1e-8, 7)
    yield "archive", "two", safetensors(
        {"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
         "b": {"dtype": "I64", "shape": [1], "data_offsets": [24, 32]}}, floats + struct.pack("<q", 5))
    yield "archive", "halves", safetensors(
        {"h": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
         "u": {"dtype": "BF16", "shape": [2, 1], "data_offsets": [4, 8]},
         "e": {"dtype": "F64", "shape": [0], "data_offsets": [8, 8]}}, bytes(8))
    yield "archive", "empty", safetensors({})

    c_order = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    fortran = "{'descr': '<f8', 'fortran_order': True, 'shape': (3,), }"
    two = {"a.npy": npy(c_order, floats), "b.npy": npy(fortran, struct.pack("<3d", 1, 2, 3), version=2)}
    yield "npz", "stored", npz(two, zipfile.ZIP_STORED)
    yield "npz", "deflated", npz(two, zipfile.ZIP_DEFLATED)
    yield "npz", "metadata", npz({"__metadata__.npy": npy(
        "{'descr': '|u1', 'fortran_order': False, 'shape': (11,), }", b'{"a":"b \\""}'[:11])}, zipfile.ZIP_STORED)

    images = b"\0\0\x08\3" + struct.pack(">3I", 2, 3, 4) + bytes(range(24))
    labels = b"\0\0\x08\1" + struct.pack(">I", 5) + bytes([1, 0, 9, 3, 3])
    yield "idx", "images", images
    yield "idx", "labels", labels
    yield "idx", "promises", b"\0\0\x08\3" + struct.pack(">3I", 0x030000FE, 3, 4) + bytes(13)
    yield "idx", "packed", gzip.compress(images, mtime=0)
    yield "gzip", "one", gzip.compress(b"some text, some text, some text", mtime=0)
    yield "gzip", "two", gzip.compress(b"one", mtime=0) + gzip.compress(b"two" * 400, mtime=0)
    yield "gzip", "plain", b"not packed at all"
    yield "cifar", "ten", bytes([3]) + bytes(3072)
    yield "cifar", "hundred", bytes([1, 99]) + bytes(3072)

    yield "tar", "ustar", tar(tarfile.USTAR_FORMAT, ["a.jpg", "a.cls", "b/c.png"])
    yield "tar", "gnu", tar(tarfile.GNU_FORMAT, ["n" * 150, "b"])
    yield "tar", "pax", tar(tarfile.PAX_FORMAT, ["p" * 200, "\u00e4.jpg"])
    yield "csv", "quoted", b'file,class\na.jpg,"cat, black"\n"b ""2"".jpg",dog\r\n'
    yield "csv", "numbers", b"epoch,loss\n1,0.5\n2,nan\n"
    yield "lists", "list", b'file,class\na.jpg,cat\n"b, c.png",dog\n/d/e.png,cat\n'
    yield "lists", "classes", b"\xef\xbb\xbfcat\ndog\r\nhouse\n"
    yield "toml", "recipe", b'# a recipe\n[optimizer]\nlr = 0.05\nname = "sgd"\n[schedule]\nmilestones = [0.5, 0.75]\n' \
                            b"epochs = 1_000\nflag = true\ntext = \"\"\"a\n\\u00e4\"\"\"\n"
    yield "toml", "dotted", b"a.b.'c d' = 'x'\n[[t]]\nd = 1979-05-27\nn = -inf\nh = 0xff\nt = {x = 1, y = []}\n"
    # Letters behind which toml++ 3.3 has undefined behaviour.
    yield "toml", "letters", '# a\n[opt\u0266]\n'.encode()
    yield "toml", "continued", 'a = """ze\\\n\u03fb"""\n'.encode()
    yield "json", "record", b'{"step": 5, "loss": 0.5e-3, "rho": null, "done": true, "all": [1, -2, 18446744073709551615, []],' \
                            b' "text": "\\u00e4\\ud83d\\ude00\\n"}'
    yield "json", "nested", b"[" * 40 + b"1" + b"]" * 40
    position = {"format": 1, "step": 10, "epoch": 1, "batch": 2, "samples_seen": 640, "seed": 7, "config_hash": "ab",
                "data_hash": "cd", "recipe": "[run]\n", "model": "resnet8", "optimizer": "sgd", "rule": "sam",
                "average": "none", "best_metric": "0x1.8p-1", "best_epoch": 1,
                "extra": {"epoch_sums": {"steps": 2, "images": 64, "correct": 9, "loss": 147.5, "loss_perturbed": 150.25,
                                         "perturbed": True, "skipped": 0, "skipped_images": 0, "gradient_norm": 1.5,
                                         "lr": 0.1, "seconds": 0.5, "data_seconds": 0.0},
                          "skipped_in_row": 0, "skipped": 1, "seconds": 2.5,
                          "epochs": [{"epoch": 1, "step": 8, "train_loss": 1.5, "train_loss_perturbed": None,
                                      "train_accuracy": "nan", "test_loss": None, "test_accuracy": None,
                                      "validation_loss": 0.5, "validation_accuracy": 0.75, "skipped": 0,
                                      "gradient_norm": 0.5, "lr": 0.1, "seconds": 1.5, "images_per_second": 700.0,
                                      "data_wait": 0.0}]}}
    yield "checkpoint", "position", json.dumps(position).encode()
    for name, words in (("train", "train --data synthetic --model resnet8 --epochs 2 --lr 0.1 --sharpness sam --rho 0.05"),
                        ("eval", "eval --weights a.safetensors --model resnet20 --data cifar10 --json"),
                        ("curve", "curve a b --epochs 3 --align -o out"), ("help", "hessian --help"),
                        ("reproduce", "reproduce sam-clean --scale tiny --seeds 3"),
                        ("predict", "predict run a.jpg b.png --top 3"), ("bench", "bench step --rules plain,sam")):
        yield "command_line", name, "\n".join(words.split()).encode()


def main(words):
    if words and words[0].startswith("-"):
        print(__doc__.strip())
        return 0 if words[0] in ("-h", "--help") else 2
    root = pathlib.Path(words[0]) if words else pathlib.Path(__file__).parent / "corpus"
    count = 0
    for target, name, content in corpora():
        (root / target).mkdir(parents=True, exist_ok=True)
        (root / target / name).write_bytes(content)
        count += 1
    print(f"{count} files below {root}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
