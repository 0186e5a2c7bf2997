"""The local engine: StepFun's Realtime API on this machine, with ears, a mouth and a brain of its own."""
