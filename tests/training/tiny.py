"""A recipe that trains a tiny PSALM in seconds, on text and then on scenes."""

# [model.config] of the smallest PSALM that learns.
SIZES = """\
image_size = 64
swin_embed = 8
swin_depths = [1, 1, 1, 1]
swin_heads = [1, 1, 2, 2]
swin_window = 2
connector_width = 16
connector_stride = 1
pixel_channels = 32
mask_channels = 32
pixel_layers = 1
pixel_heads = 2
pixel_feedforward = 16
language_channels = 16
language_layers = 1
language_heads = 2
language_feedforward = 16
queries = 8
decoder_layers = 1
decoder_heads = 2
decoder_feedforward = 16
"""

RECIPE = f"""
seed = 3
[data]
first_seed = 100
[model]
architecture = "psalm"
[model.config]
{SIZES}prompt_style = "plain"
single_queries = 2
region_source = "pixels"
regions_together = false
[losses]
points = 0
assignment = "first"
[checkpoint]
minutes = 60
[log]
every = 2
[[stage]]
name = "text"
data = "text"
steps = 4
batch_size = 4
lr = 1e-3
train = ["language", "auxiliary", "heads"]
[[stage]]
name = "scenes"
steps = 4
batch_size = 2
size = 64
lr = 1e-3
warmup = 2
mixture = {{ sentences = 1, questions = 1, regions = 1, negatives = 2 }}
"""
