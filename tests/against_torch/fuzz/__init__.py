"""Random programs in the public vocabulary, run line by line in tensorgrad, in PyTorch and in PyTorch with float64.

`python -m tests.against_torch.fuzz --minutes 10 --seed 1` runs for as long as it is told and prints what differs, each
kind once, as the shortest program found that shows it. `vocabulary.py` lists what programs are made of,
`differences.py` what is meant to differ.
"""
