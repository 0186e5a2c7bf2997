"""Audio without I/O devices: clips, PCM16, the energy VAD and simple analysis."""
