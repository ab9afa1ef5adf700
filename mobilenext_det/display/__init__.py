"""What a person looks at: drawn detections, tables, plots and pages."""
