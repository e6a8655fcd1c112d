"""Published cells, as text in the notation of `NASNet.parse`."""

AMOEBANET_A = """
normal ops avg_pool_3x3 max_pool_3x3 | separable_3x3_2 none | none avg_pool_3x3
         | separable_3x3_2 separable_5x5_2 | avg_pool_3x3 separable_3x3_2
       idx 0 0 | 1 1 | 0 1 | 0 2 | 5 0 used 1 0 1 0 0 1 0
reduce ops separable_3x3_2 avg_pool_3x3 | max_pool_3x3 separable_7x7_2 | max_pool_3x3 max_pool_3x3
         | separable_3x3_2 1x7_7x1 | avg_pool_3x3 separable_7x7_2
       idx 1 0 | 0 2 | 1 0 | 4 0 | 1 0 used 1 1 0 0 0 0 0
"""
"""Real et al. 2019, as in the TPU implementation of AmoebaNet."""

NASNET_A = """
normal ops separable_5x5_2 separable_3x3_2 | separable_5x5_2 separable_3x3_2 | avg_pool_3x3 none
         | avg_pool_3x3 avg_pool_3x3 | separable_3x3_2 none
       idx 0 1 | 1 1 | 0 1 | 1 1 | 0 0 used 1 0 0 0 0 0 0
reduce ops separable_5x5_2 separable_7x7_2 | max_pool_3x3 separable_7x7_2 | avg_pool_3x3 separable_5x5_2
         | none avg_pool_3x3 | separable_3x3_2 max_pool_3x3
       idx 0 1 | 0 1 | 0 1 | 3 2 | 2 0 used 1 1 1 0 0 0 0
"""
"""Zoph et al. 2018, as in TensorFlow's slim."""
