"""``python -m tools.benchmarks.windows BACKBONE DATA`` cuts the windows of a prediction, for `load`."""

import sys

import kit
from kit.modeling.backbones import open_backbone
from kit.modeling.windows import make_windows

if __name__ == "__main__":
    make_windows(open_backbone(sys.argv[1]), kit.load(sys.argv[2]).questions, max_length=256, stride=64)
