"""BN-Inception as Cadene's pretrained-models.pytorch publishes it (`bninception`): convolutions with biases and batch
normalisations, pools that round up, averages that count the padding. Names are that module's state-dict keys."""
import torch
from torch import nn

# 1x1; 3x3 reduce, 3x3; double 3x3 reduce, both; pool projection. None: there is no such branch. A block without
# projection halves the map: its 3x3 branches end with stride 2 and its pool passes through.
BLOCKS = {
    "3a": (64, 64, 64, 64, 96, 32),
    "3b": (64, 64, 96, 64, 96, 64),
    "3c": (None, 128, 160, 64, 96, None),
    "4a": (224, 64, 96, 96, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 128),
    "4d": (96, 128, 192, 160, 192, 128),
    "4e": (None, 128, 192, 192, 256, None),
    "5a": (352, 192, 320, 160, 224, 128),
    "5b": (352, 192, 320, 192, 224, 128),
}


class BNInception(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.unit("conv1_7x7_s2", 3, 64, 7, 2)
        self.unit("conv2_3x3_reduce", 64, 64, 1)
        self.unit("conv2_3x3", 64, 192, 3)
        channels = 192
        for name, (single, reduce3, three, reduce_double, double, projection) in BLOCKS.items():
            stride, p = 1 if projection else 2, f"inception_{name}_"
            if single:
                self.unit(p + "1x1", channels, single, 1)
            self.unit(p + "3x3_reduce", channels, reduce3, 1)
            self.unit(p + "3x3", reduce3, three, 3, stride)
            self.unit(p + "double_3x3_reduce", channels, reduce_double, 1)
            self.unit(p + "double_3x3_1", reduce_double, double, 3)
            self.unit(p + "double_3x3_2", double, double, 3, stride)
            if projection:
                self.unit(p + "pool_proj", channels, projection, 1)
            channels = (single or 0) + three + double + (projection or channels)
        self.last_linear = nn.Linear(channels, classes)

    def unit(self, name, inputs, outputs, size, stride=1):
        setattr(self, name, nn.Conv2d(inputs, outputs, size, stride, size // 2))
        setattr(self, name + "_bn", nn.BatchNorm2d(outputs, eps=1e-5))

    def apply_unit(self, name, x):
        return torch.relu(getattr(self, name + "_bn")(getattr(self, name)(x)))

    def block(self, name, x):
        def chain(x, *units):
            for unit in units:
                x = self.apply_unit(f"inception_{name}_{unit}", x)
            return x

        parts = [chain(x, "3x3_reduce", "3x3"), chain(x, "double_3x3_reduce", "double_3x3_1", "double_3x3_2")]
        if BLOCKS[name][-1] is None:
            return torch.cat([*parts, nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)], 1)
        if name == "5b":
            pooled = nn.functional.max_pool2d(x, 3, 1, 1, ceil_mode=True)
        else:
            pooled = nn.functional.avg_pool2d(x, 3, 1, 1, ceil_mode=True, count_include_pad=True)
        return torch.cat([chain(x, "1x1"), *parts, chain(pooled, "pool_proj")], 1)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.apply_unit("conv1_7x7_s2", x), 3, 2, ceil_mode=True)
        x = self.apply_unit("conv2_3x3", self.apply_unit("conv2_3x3_reduce", x))
        x = nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
        for name in BLOCKS:
            x = self.block(name, x)
        return self.last_linear(x.mean((2, 3)))
