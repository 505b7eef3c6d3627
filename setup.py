"""What pyproject.toml cannot say: the kernels' sources lie outside the package and are installed inside it."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["tensorgrad", "tensorgrad.*"]), "tensorgrad._kernels"],
    package_dir={"tensorgrad._kernels": "kernels"},
    package_data={
        "tensorgrad": ["py.typed", "data/assets/*"],
        "tensorgrad._kernels": ["*/*.cu", "*/*.cuh", "*/*.h"],
    },
)
