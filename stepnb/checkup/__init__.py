"""What voice needs on this machine, looked at: the rows of ``stepnb doctor`` and of ``sn.doctor()``."""
