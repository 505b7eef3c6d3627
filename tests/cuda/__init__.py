"""Tests that run on a CUDA device: a GPU where there is one, otherwise the stand-in and the emulator."""
