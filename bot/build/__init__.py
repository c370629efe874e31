"""What makes the models: torch and transformers live here, and no serving process imports it.

encoder.py   all-MiniLM-L6-v2 to ONNX int8: `models/encoder`
emotion.py   fine-tune on GoEmotions: `models/emotion`; to ONNX int8: `models/emotion-onnx`
"""
