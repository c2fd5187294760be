# Worked numbers of tests/optim/test_newer_rules.cpp, by numpy in f64: python3 golden_rules.py prints its tables.
#
# Each rule is written here from its paper, in the paper's own variables and not as optim/update computes it:
# Schedule-Free keeps x and z (y is derived), Muon works on {out, in} matrices and on Python lists of arrays.
import numpy as np

SHAPES = [("matrix", (3, 2)), ("bias", (3,)), ("convolution", (2, 2, 1, 3)), ("head", (2, 3))]
RATES = [0.1, 0.2, 0.2, 0.15, 0.05]
DECAY = 0.1


def weights():
    start, parts = 0, []
    for _, shape in SHAPES:
        size = int(np.prod(shape))
        parts.append(np.cos(np.arange(start, start + size, dtype=np.float64)).reshape(shape))
        start += size
    return parts


def direction(t):
    start, parts = 0, []
    for _, shape in SHAPES:
        size = int(np.prod(shape))
        parts.append(np.sin(1 + np.arange(start, start + size, dtype=np.float64) + 3 * t).reshape(shape))
        start += size
    return parts


def probes(parts):
    flat = np.concatenate([p.reshape(-1) for p in parts])
    index = np.arange(1, flat.size + 1)
    return [float(np.sum(flat * np.sin(j * index))) for j in (1, 2, 3)]


def decays(name):
    return DECAY if name != "bias" else 0.0


def show(name, rows):
    print(f"// {name}")
    print("{" + ",\n ".join("{" + ", ".join(f"{x:.15g}" for x in row) + "}" for row in rows) + "}")


def lookahead(fast_step):
    fast = weights()
    slow = [w.copy() for w in fast]
    rows = []
    for t, lr in enumerate(RATES):
        fast_step(fast, direction(t), lr, t)
        if (t + 1) % 2 == 0:
            for s, w in zip(slow, fast):
                s += 0.8 * (w - s)
                w[...] = s
        rows.append(probes(fast))
    return rows


def momentum_sgd():
    buffers = {}

    def step(ws, ds, lr, t):
        for i, (w, d) in enumerate(zip(ws, ds)):
            u = d + decays(SHAPES[i][0]) * w
            buffers[i] = u if t == 0 else 0.9 * buffers[i] + u
            w -= lr * buffers[i]

    return step


def adam():
    ms, vs = {}, {}

    def step(ws, ds, lr, t):
        for i, (w, d) in enumerate(zip(ws, ds)):
            ms[i] = 0.9 * ms.get(i, 0) + 0.1 * d
            vs[i] = 0.999 * vs.get(i, 0) + 0.001 * d * d
            w -= lr * (ms[i] / (1 - 0.9 ** (t + 1))) / (np.sqrt(vs[i] / (1 - 0.999 ** (t + 1))) + 1e-8)

    return step


def schedule_free(adamw):
    """Defazio et al. 2024, eqs. (3) to (5): y = (1 - beta) z + beta x, z steps, x is the weighted mean of z."""
    beta, beta2, eps = 0.9, 0.99, 1e-8
    x, z = weights(), weights()
    v = [np.zeros_like(p) for p in z]
    largest = total = 0.0
    at_y, at_x = [], []
    for t, lr in enumerate(RATES):
        y = [(1 - beta) * b + beta * a for a, b in zip(x, z)]
        largest = max(largest, lr)
        total += largest**2
        c = largest**2 / total
        for i, d in enumerate(direction(t)):
            u = d
            if adamw:
                v[i] = beta2 * v[i] + (1 - beta2) * d * d
                u = d / (np.sqrt(v[i] / (1 - beta2 ** (t + 1))) + eps)
            u = u + decays(SHAPES[i][0]) * y[i]
            z[i] = z[i] - lr * u
            x[i] = (1 - c) * x[i] + c * z[i]
        at_y.append(probes([(1 - beta) * b + beta * a for a, b in zip(x, z)]))
        at_x.append(probes(x))
    return at_y, at_x


def orthogonal(g):
    """Jordan 2024: the quintic Newton-Schulz iteration of the blog post, wide side last."""
    x = g / (np.linalg.norm(g) + 1e-7)
    if g.shape[0] > g.shape[1]:
        x = x.T
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if g.shape[0] > g.shape[1] else x


def as_matrix(p):  # {KH,KW,I,O} to {O, I KH KW}, as the files have it
    return p if p.ndim == 2 else p.transpose(3, 2, 0, 1).reshape(p.shape[3], -1)


def as_kernel(m, shape):
    if len(shape) == 2:
        return m
    kh, kw, i, o = shape
    return m.reshape(o, i, kh, kw).transpose(2, 3, 1, 0)


def muon(rms, nesterov):
    ws = weights()
    ms = [np.zeros_like(p) for p in ws]
    vs = [np.zeros_like(p) for p in ws]
    rows = []
    for t, lr in enumerate(RATES):
        for i, d in enumerate(direction(t)):
            name, shape = SHAPES[i]
            ws[i] = ws[i] * (1 - lr * decays(name))
            if name in ("matrix", "convolution"):
                ms[i] = 0.95 * ms[i] + 0.05 * d
                u = 0.05 * d + 0.95 * ms[i] if nesterov else ms[i]
                m = as_matrix(u)
                out, inner = m.shape
                scale = 0.2 * max(out, inner) ** 0.5 if rms else max(1, out / inner) ** 0.5
                ws[i] = ws[i] - lr * scale * as_kernel(orthogonal(m), shape)
            else:
                ms[i] = 0.9 * ms[i] + 0.1 * d
                vs[i] = 0.95 * vs[i] + 0.05 * d * d
                ws[i] = ws[i] - lr * (ms[i] / (1 - 0.9 ** (t + 1))) / (
                    np.sqrt(vs[i] / (1 - 0.95 ** (t + 1))) + 1e-8)
        rows.append(probes(ws))
    return rows


show("lookahead, momentum", lookahead(momentum_sgd()))
show("lookahead, adam", lookahead(adam()))
for adamw in (False, True):
    y, x = schedule_free(adamw)
    show(f"schedule-free {'adamw' if adamw else 'sgd'}, y", y)
    show(f"schedule-free {'adamw' if adamw else 'sgd'}, x", x)
show("muon, rms, nesterov", muon(True, True))
show("muon, shape", muon(False, False))
