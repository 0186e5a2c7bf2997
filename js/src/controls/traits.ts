// The traits of `SessionControls` (stepnb/widgets/controls.py): the kernel and the page both write those of a setting.

export type Section = "voice" | "prompt" | "turns" | "tools";
export type Field = "voice" | "instructions" | "vad" | "tools";

export interface VoiceEntry {
  id: string;
  name: { en: string; zh: string };
  language: string;
  gender: string;
  description: string;
  own: boolean;
}

export interface ToolEntry {
  name: string;
  kind: "function" | "web_search" | "retrieval";
  on: boolean;
  description?: string;
  approval?: "session" | "ask" | "never";
  top_k?: number;
  timeout_seconds?: number;
  vector_store_id?: string;
  prompt_template?: string;
}

export interface ControlTraits {
  voice: string;
  instructions: string;
  vad: boolean;
  prefix_padding_ms: number;
  silence_duration_ms: number;
  energy_awakeness_threshold: number;
  tools: ToolEntry[];
  voices: VoiceEntry[];
  lang: string;
  info: {
    model: string;
    sections: Section[];
    /** By which the widgets of a session find each other on the page. */
    session: string;
    voice_locked: boolean;
    /** Why a field's last change was not taken. */
    refused: Partial<Record<Field, string>>;
    /** The fields whose change the service has not answered yet. */
    unconfirmed: Field[];
    closed: boolean;
  };
}

/** Fields of the messages to the kernel, by kind. */
export interface ControlsUp {
  restart: { voice: string };
  sample: { voice: string };
  own_voices: Record<never, never>;
}

/** Fields of the messages from the kernel, by kind. */
export interface ControlsDown {
  sample: { voice: string; wav: string | null; problem: string | null };
  own_voices: { problem: string | null };
}
