"""What explains: complexity, gradients, information and learning curves."""
