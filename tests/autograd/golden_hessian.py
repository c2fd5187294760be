# Makes golden_hessian.h: a small network's Hessian by PyTorch's double backward, in f64.
#   python3 tests/autograd/golden_hessian.py > tests/autograd/golden_hessian.h      (made with PyTorch 2.15.0)
import torch
import torch.nn.functional as F


def numbers(k, shape, scale=1.0, shift=0.0):
    """Number i of tensor k, in the order of PyTorch's layout: a fraction that is exact in f64."""
    n = 1
    for extent in shape:
        n *= extent
    i = torch.arange(n, dtype=torch.int64)
    return (((i * 7919 + k * 104729 + 17) * (i + 31) % 1009).double() / 1009 - 0.5).reshape(shape) * scale + shift


shapes = [(4, 3, 3, 3), (4,), (4,), (5, 4, 3, 3), (5,), (5,), (3, 5), (3,)]
images = numbers(1, (6, 5, 5, 3), 2.0).permute(0, 3, 1, 2)
labels = torch.tensor([0, 1, 2, 0, 1, 2])
means = [numbers(30, (4,)), numbers(31, (5,))]
variances = [numbers(32, (4,), 1.0, 1.0), numbers(33, (5,), 1.0, 1.0)]


def loss(flat, train):
    w, at = [], 0
    for shape in shapes:
        n = torch.Size(shape).numel()
        w.append(flat[at:at + n].reshape(shape))
        at += n

    def norm(x, k):
        mean, variance = (None, None) if train else (means[k], variances[k])
        return F.relu(F.batch_norm(x, mean, variance, w[3 * k + 1], w[3 * k + 2], training=train, eps=1e-5))

    h = norm(F.conv2d(images, w[0], padding=1), 0)
    y = norm(F.conv2d(h, w[3], stride=2, padding=1), 1)
    return F.cross_entropy(F.linear(y.mean((2, 3)), w[6], w[7]), labels, label_smoothing=0.1)


weights = torch.cat([numbers(10 + k, s, 1.0, 1.0 if k in (1, 4) else 0.0).flatten() for k, s in enumerate(shapes)])
direction = torch.cat([numbers(20 + k, s).flatten() for k, s in enumerate(shapes)])


def product(train, v):
    w = weights.clone().requires_grad_()
    (g,) = torch.autograd.grad(loss(w, train), w, create_graph=True)
    return torch.autograd.grad(g @ v, w)[0]


def row(name, values):
    print(f"    .{name} = {{{', '.join(repr(float(v)) for v in values)}}},")


print("// Made by golden_hessian.py, which says what these are: a Hessian by PyTorch's double backward.")
print("// clang-format off")
print("#pragma once\n\n#include <vector>\n\nnamespace basin {\n")
print("struct GoldenHessian {")
print("  bool train;\n  double loss, trace, squared_diagonal, frobenius;")
print("  std::vector<double> largest, smallest, product;\n};\n")
print("inline const std::vector<GoldenHessian> golden_hessians = {")
for train in (False, True):
    h = torch.stack([product(train, e) for e in torch.eye(len(weights), dtype=torch.float64)])
    values = torch.linalg.eigvalsh((h + h.T) / 2)
    print(f"  {{.train = {str(train).lower()},")
    print(f"    .loss = {float(loss(weights, train))!r},")
    print(f"    .trace = {float(h.trace())!r},\n    .squared_diagonal = {float((h.diagonal() ** 2).sum())!r},")
    print(f"    .frobenius = {float(h.norm())!r},")
    for name, chosen in (("largest", values[-4:].flip(0)), ("smallest", values[:4])):
        row(name, chosen)
    print("    .product = {")
    hv = product(train, direction).tolist()
    for i in range(0, len(hv), 4):
        print("      " + ", ".join(f"{x:.15e}" for x in hv[i:i + 4]) + ",")
    print("    }},")
print("};\n\n}  // namespace basin")
