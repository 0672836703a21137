"""Packaging; tool settings are in pyproject.toml, tested versions in constraints.txt.

The oldest versions named here are tested, too: constraints-oldest.txt has exactly them (`make test-oldest`).
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'^__version__ = "(.+)"', (HERE / "kit" / "version.py").read_text(encoding="utf-8"), re.M)

TRACKING = ["tensorboard>=2.18"]
PARTICLES = ["kiwipiepy>=0.20"]
RANKED = ["lightgbm>=4.3"]
PARQUET = ["pyarrow>=18.0"]
SENTENCEPIECE = ["sentencepiece>=0.2.1"]
DOCS = ["mkdocs-material>=9.7"]
SWEEP = ["matplotlib>=3.10", "optuna>=5.0", "sqlalchemy>=2.1"]
DEV = [
    *TRACKING,
    *PARTICLES,
    *RANKED,
    *PARQUET,
    *SENTENCEPIECE,
    *SWEEP,
    *DOCS,
    "build>=1.2.2",
    "hypothesis>=6.100.2",
    "ipykernel>=6.29",
    "matplotlib>=3.10",
    "mypy>=1.15",
    "nbclient>=0.10",
    "pandas-stubs>=2.2.0.240218",
    "playwright>=1.49",
    "pytest>=8.3",
    "pytest-timeout>=2.3.1",
    "pytest-xdist>=3.8",
    "ruff>=0.9",
    "types-PyYAML>=6.0",
]

setup(
    name="korean-mrc-kit",
    version=VERSION.group(1),
    description="A submission kit for Korean extractive question answering scored by edit distance",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=find_packages(include=["kit", "kit.*"]),
    package_data={
        "kit": ["py.typed"],
        "kit.data.demo_corpus": ["texts/*.json"],
        "kit.notebooks": ["chapters/*.md"],
        "kit.reports": ["page/*"],
    },
    install_requires=[
        "accelerate>=1.10",
        "filelock>=3.12",
        "huggingface-hub>=1.5",
        "jinja2>=3.1",
        "kaggle>=2.2.5",
        "kagglesdk>=0.1.38",
        "markupsafe>=2.1",
        "nbformat>=5.10",
        "numpy>=2.0",
        "pandas>=2.2.2",
        "pydantic>=2.10",
        "python-Levenshtein>=0.26",
        "PyYAML>=6.0",
        "rapidfuzz>=3.9",
        "requests>=2.31",
        "rich>=14.3",
        "safetensors>=0.5",
        "scipy>=1.13",
        "six>=1.16",  # kaggle imports it without declaring it
        "tokenizers>=0.22.1",
        "torch>=2.10",
        "transformers>=5.6",
        "typer>=0.22",
    ],
    extras_require={
        "dev": DEV,
        "tracking": TRACKING,
        "particles": PARTICLES,
        "ranked": RANKED,
        "parquet": PARQUET,
        "sentencepiece": SENTENCEPIECE,
        "sweep": SWEEP,
        "docs": DOCS,
    },
    entry_points={"console_scripts": ["kit=kit.cli:main"]},
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Natural Language :: Korean",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
