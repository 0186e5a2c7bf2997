/** What a person chooses for this browser: it is about their room and machine, not about the session. */
export interface DeviceSettings {
  /** Ids as `enumerateDevices` gives them; "" is the system's choice. */
  input: string;
  output: string;
  /** 0 to 1. */
  volume: number;
  echoCancellation: boolean;
  noiseSuppression: boolean;
  autoGainControl: boolean;
  /** The microphone is silent while the loudspeaker plays. */
  halfDuplex: boolean;
}

/** What the browser does to the microphone's sound. */
export const PROCESSING = ["echoCancellation", "noiseSuppression", "autoGainControl"] as const;
export type Processing = (typeof PROCESSING)[number];
/** What it granted of that; undefined where it does not say. */
export type Granted = Partial<Record<Processing, boolean>>;

export const DEFAULTS: Readonly<DeviceSettings> = {
  input: "",
  output: "",
  volume: 1,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  halfDuplex: false,
};

const KEY = "stepnb.devices";

/** The remembered settings. Pages may forbid the storage, and others may write to it: what does not fit is left out. */
export function loadDevices(): DeviceSettings {
  const settings = { ...DEFAULTS };
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    for (const [name, value] of Object.entries(stored as object)) {
      const known =
        Object.hasOwn(DEFAULTS, name) && typeof DEFAULTS[name as keyof DeviceSettings] === typeof value;
      if (known) Object.assign(settings, { [name]: value });
    }
  } catch {
    return { ...DEFAULTS };
  }
  settings.volume = Math.max(0, Math.min(1, settings.volume));
  return settings;
}

export function saveDevices(settings: DeviceSettings): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(settings));
  } catch {
    // Not remembered, then; they count for this page all the same.
  }
}
