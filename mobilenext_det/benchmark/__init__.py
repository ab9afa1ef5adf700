"""Speed beside stock MMDetection's SSDLite: training, prediction, input pipeline, start; and how training scales."""
