"""Raw scores and masks become a Prediction on the frame's own grid."""
