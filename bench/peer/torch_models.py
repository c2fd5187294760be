"""The networks of Basin's benchmarks in PyTorch, layer for layer those of nn/models, under Basin's names.

Written for speed in PyTorch as its users write them: in-place ReLU, channels-last tensors, fused attention where
the version has it. Initial weights are PyTorch's own, for only time is measured; bench/versus_pytorch.py checks that
both sides have as many parameters.
"""

import torch
from torch import nn
from torch.nn import functional as F


def conv3x3(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)


class BasicBlock(nn.Module):
    """He et al. 2016. Shortcut A pads with zeros, B projects."""

    def __init__(self, inputs, outputs, stride, project):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv3x3(outputs, outputs), nn.BatchNorm2d(outputs)
        self.new_channels = outputs - inputs
        self.shortcut = None
        if project and (stride != 1 or inputs != outputs):
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        if self.shortcut is not None:
            x = self.shortcut(x)
        elif self.new_channels:
            half = self.new_channels // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, half))
        return F.relu(y + x, inplace=True)


class ResNet(nn.Module):
    """A 3x3 stem and stages of basic blocks, each stage but the first of half the side."""

    def __init__(self, widths, blocks, project):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(3, widths[0]), nn.BatchNorm2d(widths[0])
        stages, inputs = [], widths[0]
        for i, width in enumerate(widths):
            for block in range(blocks):
                stages.append(BasicBlock(inputs, width, 2 if i > 0 and block == 0 else 1, project))
                inputs = width
        self.stages = nn.Sequential(*stages)
        self.fc = nn.Linear(inputs, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return self.fc(self.stages(x).mean((2, 3)))


class PreactBlock(nn.Module):
    """Zagoruyko and Komodakis 2016: norm and ReLU before each convolution; the shortcut leaves after the first."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv3x3(inputs, outputs, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv3x3(outputs, outputs)
        self.shortcut = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        h = F.relu(self.bn1(x), inplace=False)
        skip = x if self.shortcut is None else self.shortcut(h)
        return skip + self.conv2(F.relu(self.bn2(self.conv1(h)), inplace=True))


class WideResNet(nn.Module):
    def __init__(self, depth, widen):
        super().__init__()
        self.conv1 = conv3x3(3, 16)
        stages, inputs = [], 16
        for i, width in enumerate((16 * widen, 32 * widen, 64 * widen)):
            for block in range((depth - 4) // 6):
                stages.append(PreactBlock(inputs, width, 2 if i > 0 and block == 0 else 1))
                inputs = width
        self.stages, self.bn1, self.fc = nn.Sequential(*stages), nn.BatchNorm2d(inputs), nn.Linear(inputs, 10)

    def forward(self, x):
        return self.fc(F.relu(self.bn1(self.stages(self.conv1(x))), inplace=True).mean((2, 3)))


class PyramidBlock(nn.Module):
    """Han et al. 2017, figure 6d: no first ReLU, a last norm, zero-padded (and average-pooled) shortcuts."""

    def __init__(self, inputs, width, stride, bottleneck):
        super().__init__()
        self.stride = stride
        self.outputs = 4 * width if bottleneck else width
        if bottleneck:
            convolutions = [nn.Conv2d(inputs, width, 1, bias=False), conv3x3(width, width, stride),
                            nn.Conv2d(width, self.outputs, 1, bias=False)]
        else:
            convolutions = [conv3x3(inputs, width, stride), conv3x3(width, width)]
        layers = [nn.BatchNorm2d(inputs)]
        for i, convolution in enumerate(convolutions):
            layers += [convolution, nn.BatchNorm2d(convolution.out_channels)]
            if i + 1 < len(convolutions):
                layers.append(nn.ReLU(inplace=True))
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        y = self.layers(x)
        if self.stride != 1:
            x = F.avg_pool2d(x, 2, 2, ceil_mode=True)
        return y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


class PyramidNet(nn.Module):
    def __init__(self, depth, alpha, bottleneck=False):
        super().__init__()
        blocks = (depth - 2) // (9 if bottleneck else 6)
        self.conv1, self.bn1 = conv3x3(3, 16), nn.BatchNorm2d(16)
        stages, inputs, width = [], 16, 16.0
        for stage in range(3):
            for block in range(blocks):
                width += alpha / (3 * blocks)
                stages.append(PyramidBlock(inputs, round(width), 2 if stage > 0 and block == 0 else 1, bottleneck))
                inputs = stages[-1].outputs
        self.stages, self.bn_final, self.fc = nn.Sequential(*stages), nn.BatchNorm2d(inputs), nn.Linear(inputs, 10)

    def forward(self, x):
        x = self.stages(self.bn1(self.conv1(x)))
        return self.fc(F.relu(self.bn_final(x), inplace=True).mean((2, 3)))


class EncoderBlock(nn.Module):
    """Dosovitskiy et al. 2021: norm before attention and before the MLP."""

    def __init__(self, dim, heads, mlp):
        super().__init__()
        self.heads = heads
        self.ln1, self.qkv, self.out = nn.LayerNorm(dim, 1e-6), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.ln2, self.mlp1, self.mlp2 = nn.LayerNorm(dim, 1e-6), nn.Linear(dim, mlp), nn.Linear(mlp, dim)

    def forward(self, x):
        batch, tokens, dim = x.shape
        q, k, v = self.qkv(self.ln1(x)).reshape(batch, tokens, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4)
        if hasattr(F, "scaled_dot_product_attention"):
            seen = F.scaled_dot_product_attention(q, k, v)
        else:
            seen = torch.softmax(q @ k.transpose(-1, -2) * (dim // self.heads) ** -0.5, -1) @ v
        x = x + self.out(seen.transpose(1, 2).reshape(batch, tokens, dim))
        return x + self.mlp2(F.gelu(self.mlp1(self.ln2(x))))


class Vit(nn.Module):
    def __init__(self, side=32, patch=4, dim=192, layers=6, heads=3):
        super().__init__()
        self.embed = nn.Conv2d(3, dim, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, dim))
        self.position = nn.Parameter(0.02 * torch.randn(1, (side // patch) ** 2 + 1, dim))
        self.blocks = nn.Sequential(*[EncoderBlock(dim, heads, 4 * dim) for _ in range(layers)])
        self.norm, self.fc = nn.LayerNorm(dim, 1e-6), nn.Linear(dim, 10)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(len(x), -1, -1), x), 1) + self.position
        return self.fc(self.norm(self.blocks(x))[:, 0])


MODELS = {
    "resnet20": lambda: ResNet((16, 32, 64), 3, project=False),
    "resnet56": lambda: ResNet((16, 32, 64), 9, project=False),
    "resnet18": lambda: ResNet((64, 128, 256, 512), 2, project=True),
    "wrn-16-4": lambda: WideResNet(16, 4),
    "wrn-28-10": lambda: WideResNet(28, 10),
    "pyramidnet-110-48": lambda: PyramidNet(110, 48),
    "pyramidnet-110-84": lambda: PyramidNet(110, 84),
    "pyramidnet-110-84-bottleneck": lambda: PyramidNet(110, 84, bottleneck=True),
    "vit-cifar": Vit,
}
