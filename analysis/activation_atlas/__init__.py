"""The activation atlas of a layer: what it makes of many places in many images, laid out and drawn.

After Carter, Armstrong, Schubert, Johnson and Olah 2019, Exploring Neural Networks with Activation Atlases, Distill.
"""
