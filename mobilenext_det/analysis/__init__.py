"""What explains: complexity, gradients and the comparison of models."""
