"""Speed beside stock MMDetection: training, prediction, pipeline, start, evaluation; what is deployed; scaling."""
