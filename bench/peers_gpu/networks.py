# SPDX-License-Identifier: Apache-2.0
"""The nine networks of gpu_eval in plain torch (no torchvision): the same shapes, strides and paddings as models/*.cpp."""
import torch
from torch import nn
from torch.nn import functional as F


class Pad(nn.Module):
    """TensorFlow's SAME padding where it is not symmetric, or explicit zeros: (left, right, top, bottom)."""

    def __init__(self, sides, value=0.0):
        super().__init__()
        self.sides, self.value = sides, value

    def forward(self, x):
        return F.pad(x, self.sides, value=self.value)


class ConvBn(nn.Module):
    """Convolution, then batch norm (folded into it by fold()), then an activation."""

    def __init__(self, inputs, outputs, kernel, stride=1, same=False, bias=False, gamma=True, act=nn.ReLU, groups=1,
                 norm=True, size=None):
        super().__init__()
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        before = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2) if same else (0, 0)
        self.pad = nn.Identity()
        if same and stride == 2 and kernel[0] > 1:
            total = max((-(-size // 2) - 1) * 2 + kernel[0] - size, 0)
            self.pad = Pad((total // 2, total - total // 2) * 2) if total % 2 else nn.Identity()
            before = (0, 0) if total % 2 else (total // 2, total // 2)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, before, groups=groups, bias=bias)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3) if norm else None
        self.gamma = gamma
        self.act = act() if act else nn.Identity()

    def fold(self):
        if self.norm is not None:
            self.conv = torch.nn.utils.fusion.fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = None

    def forward(self, x):
        x = self.conv(self.pad(x))
        if self.norm is not None:
            x = self.norm(x)
        return self.act(x)


class AvgPoolSame(nn.AvgPool2d):
    """3x3 over the real pixels only."""

    def __init__(self):
        super().__init__(3, 1, 1, count_include_pad=False)


class GlobalAverage(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


class Branches(nn.Module):
    def __init__(self, *branches):
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], 1)


class Residual(nn.Module):
    def __init__(self, body, shortcut=None, act=True):
        super().__init__()
        self.body, self.shortcut, self.act = body, shortcut or nn.Identity(), nn.ReLU() if act else nn.Identity()

    def forward(self, x):
        return self.act(self.body(x) + self.shortcut(x))


def vgg16():
    layers, channels = [], 3
    for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers.append(ConvBn(channels, filters, 3, same=True, bias=True, norm=False))
            channels = filters
        layers.append(nn.MaxPool2d(2))
    layers += [nn.Flatten(), nn.Linear(25088, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 1000)]
    return nn.Sequential(*layers)


def resnet50():
    """The published variant: stride on a block's first 1x1, no padding in front of the max pool."""
    layers = [Pad((3, 3, 3, 3)), ConvBn(3, 64, 7, 2, bias=True), nn.MaxPool2d(3, 2)]
    channels = 64
    for filters, blocks, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for i in range(blocks):
            stride = first if i == 0 else 1
            body = nn.Sequential(ConvBn(channels, filters, 1, stride, bias=True),
                                 ConvBn(filters, filters, 3, same=True, bias=True),
                                 ConvBn(filters, 4 * filters, 1, bias=True, act=None))
            shortcut = ConvBn(channels, 4 * filters, 1, stride, bias=True, act=None) if i == 0 else None
            layers.append(Residual(body, shortcut))
            channels = 4 * filters
    return nn.Sequential(*layers, GlobalAverage(), nn.Linear(2048, 1000))


def inceptionv3():
    def conv(inputs, outputs, kernel, stride=1, same=True):
        return ConvBn(inputs, outputs, kernel, stride, same=same, gamma=False)

    def chain(inputs, *steps):
        layers = []
        for outputs, kernel in steps:
            layers.append(conv(inputs, outputs, kernel))
            inputs = outputs
        return nn.Sequential(*layers)

    def mixed_35(inputs, pool):
        return Branches(conv(inputs, 64, 1), chain(inputs, (48, 1), (64, 5)), chain(inputs, (64, 1), (96, 3), (96, 3)),
                        nn.Sequential(AvgPoolSame(), conv(inputs, pool, 1)))

    def mixed_17(inputs, f):
        return Branches(conv(inputs, 192, 1), chain(inputs, (f, 1), (f, (1, 7)), (192, (7, 1))),
                        chain(inputs, (f, 1), (f, (7, 1)), (f, (1, 7)), (f, (7, 1)), (192, (1, 7))),
                        nn.Sequential(AvgPoolSame(), conv(inputs, 192, 1)))

    def mixed_8(inputs):
        def split():
            return Branches(conv(384, 384, (1, 3)), conv(384, 384, (3, 1)))
        return Branches(conv(inputs, 320, 1), nn.Sequential(conv(inputs, 384, 1), split()),
                        nn.Sequential(conv(inputs, 448, 1), conv(448, 384, 3), split()),
                        nn.Sequential(AvgPoolSame(), conv(inputs, 192, 1)))

    def valid(inputs, outputs):
        return conv(inputs, outputs, 3, 2, same=False)

    return nn.Sequential(
        valid(3, 32), conv(32, 32, 3, same=False), conv(32, 64, 3), nn.MaxPool2d(3, 2),
        conv(64, 80, 1), conv(80, 192, 3, same=False), nn.MaxPool2d(3, 2),
        mixed_35(192, 32), mixed_35(256, 64), mixed_35(288, 64),
        Branches(valid(288, 384), nn.Sequential(chain(288, (64, 1), (96, 3)), valid(96, 96)), nn.MaxPool2d(3, 2)),
        mixed_17(768, 128), mixed_17(768, 160), mixed_17(768, 160), mixed_17(768, 192),
        Branches(nn.Sequential(conv(768, 192, 1), valid(192, 320)),
                 nn.Sequential(chain(768, (192, 1), (192, (1, 7)), (192, (7, 1))), valid(192, 192)), nn.MaxPool2d(3, 2)),
        mixed_8(1280), mixed_8(2048), GlobalAverage(), nn.Linear(2048, 1000))


def xception():
    def separable(inputs, outputs, act=None):
        return nn.Sequential(ConvBn(inputs, inputs, 3, same=True, act=None, groups=inputs, norm=False),
                             ConvBn(inputs, outputs, 1, act=act))

    def pool(size):
        total = max((-(-size // 2) - 1) * 2 + 3 - size, 0)
        sides = (total // 2, total - total // 2)
        return nn.Sequential(Pad(sides * 2, float("-inf")), nn.MaxPool2d(3, 2))

    def reduction(inputs, middle, outputs, size, relu=True):
        body = nn.Sequential(nn.ReLU() if relu else nn.Identity(), separable(inputs, middle), nn.ReLU(),
                             separable(middle, outputs), pool(size))
        return Residual(body, ConvBn(inputs, outputs, 1, 2, act=None), act=False)

    def middle():
        return Residual(nn.Sequential(*[layer for _ in range(3) for layer in (nn.ReLU(), separable(728, 728))]), act=False)

    return nn.Sequential(
        ConvBn(3, 32, 3, 2), ConvBn(32, 64, 3), reduction(64, 128, 128, 147, relu=False), reduction(128, 256, 256, 74),
        reduction(256, 728, 728, 37), *[middle() for _ in range(8)], reduction(728, 728, 1024, 19),
        separable(1024, 1536, nn.ReLU), separable(1536, 2048, nn.ReLU), GlobalAverage(), nn.Linear(2048, 1000))


def mobilenet(alpha):
    def build():
        def width(filters):
            return int(filters * alpha)
        size, channels = 112, width(32)
        layers = [ConvBn(3, channels, 3, 2, same=True, act=nn.ReLU6, size=224)]
        for filters, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1),
                                (512, 1), (512, 1), (1024, 2), (1024, 1)):
            layers += [ConvBn(channels, channels, 3, stride, same=True, act=nn.ReLU6, groups=channels, size=size),
                       ConvBn(channels, width(filters), 1, act=nn.ReLU6)]
            channels, size = width(filters), size // stride
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 1000, 1), nn.Flatten())
    return build


def squeezenet():
    def conv(inputs, outputs, kernel, stride=1, same=False):
        return ConvBn(inputs, outputs, kernel, stride, same=same, bias=True, norm=False)

    def fire(inputs, squeeze, expand):
        return nn.Sequential(conv(inputs, squeeze, 1),
                             Branches(conv(squeeze, expand, 1), conv(squeeze, expand, 3, same=True)))

    return nn.Sequential(
        conv(3, 64, 3, 2), nn.MaxPool2d(3, 2), fire(64, 16, 64), fire(128, 16, 64), nn.MaxPool2d(3, 2),
        fire(128, 32, 128), fire(256, 32, 128), nn.MaxPool2d(3, 2), fire(256, 48, 192), fire(384, 48, 192),
        fire(384, 64, 256), fire(512, 64, 256), conv(512, 1000, 1), GlobalAverage())


# Name as in bench/shapes/ -> (builder, height and width of the input).
NETWORKS = {"vgg16": (vgg16, 224), "resnet50": (resnet50, 224), "inceptionv3": (inceptionv3, 299),
            "xception": (xception, 299), "mobilenet_1.0": (mobilenet(1.0), 224), "mobilenet_0.75": (mobilenet(0.75), 224),
            "mobilenet_0.5": (mobilenet(0.5), 224), "mobilenet_0.25": (mobilenet(0.25), 224),
            "squeezenet": (squeezenet, 227)}


def parameter_count(network):
    """As Keras counts: running statistics too, and no gamma where Keras has none."""
    total = sum(p.numel() for p in network.parameters())
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            total += 2 * module.num_features
        if isinstance(module, ConvBn) and module.norm is not None and not module.gamma:
            total -= module.norm.num_features
    return total


def multiply_adds(name):
    """Of convolutions and dense layers, one image, padded taps counted; nothing is computed."""
    build, size = NETWORKS[name]
    total = 0

    def count(module, _, out):
        nonlocal total
        total += out.numel() * (module.weight.numel() // module.weight.shape[0])

    with torch.device("meta"), torch.no_grad():
        network = build().eval()
        for module in network.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                module.register_forward_hook(count)
        network(torch.empty(1, 3, size, size))
    return total


def prepared(name, device, dtype):
    """Random weights of unit gain, batch norm folded, channels last."""
    torch.manual_seed(1)
    build, size = NETWORKS[name]
    network = build().eval()
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
    for module in network.modules():
        if isinstance(module, ConvBn):
            module.fold()
    return network.to(device=device, dtype=dtype, memory_format=torch.channels_last), size
