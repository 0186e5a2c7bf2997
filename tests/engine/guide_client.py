"""The script of the vendor's guide, with nothing but websocket-client: an audio file in, an audio file out.

    python guide_client.py question.wav answer.wav

Address and key come from STEP_API and STEP_SECRET. The question is sent as a microphone would send it, and silence goes
on until the service has heard its end. It is a stranger to stepnb on purpose: it imports none of it.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
import wave

import websocket

CHUNK = 960  # bytes: 20 ms of PCM16LE mono 24 kHz


def main(question: str, answer: str) -> None:
    with wave.open(question, "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        pcm = file.readframes(file.getnframes())
    reply = bytearray()
    heard_end = threading.Event()

    def speak(ws: websocket.WebSocketApp) -> None:
        chunks = [pcm[start : start + CHUNK] for start in range(0, len(pcm), CHUNK)]
        while not heard_end.is_set():
            chunk = chunks.pop(0) if chunks else bytes(CHUNK)
            audio = base64.b64encode(chunk).decode()
            ws.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
            heard_end.wait(0 if chunks else 0.02)

    def on_message(ws: websocket.WebSocketApp, message: str) -> None:
        event = json.loads(message)
        match event["type"]:
            case "session.created":
                vad = {
                    "type": "server_vad",
                    "prefix_padding_ms": 500,
                    "silence_duration_ms": 500,
                    "energy_awakeness_threshold": 800,
                }
                session = {"modalities": ["text", "audio"], "voice": "linjiajiejie", "turn_detection": vad}
                ws.send(json.dumps({"type": "session.update", "session": session}))
            case "session.updated":
                threading.Thread(target=speak, args=(ws,), daemon=True).start()
            case "input_audio_buffer.speech_stopped":
                heard_end.set()
            case "conversation.item.input_audio_transcription.completed":
                print(f"user: {event['transcript']}")
            case "response.audio.delta":
                reply.extend(base64.b64decode(event["delta"]))
            case "response.audio_transcript.done":
                print(f"model: {event['transcript']}")
            case "error":
                print(f"error: {event['error']}", file=sys.stderr)
                ws.close()
            case "response.done":
                print(f"status: {event['response']['status']}")
                ws.close()

    app = websocket.WebSocketApp(
        f"{os.environ['STEP_API']}?model=step-1o-audio",
        header={"Authorization": f"Bearer {os.environ['STEP_SECRET']}"},
        on_message=on_message,
        on_error=lambda _, error: print(f"failed: {error}", file=sys.stderr),
    )
    app.run_forever()
    with wave.open(answer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(reply)


if __name__ == "__main__":
    main(*sys.argv[1:])
