"""Speech models: made, taught and measured. What they compute on the device is in rtap."""
