"""The field's metrics: arrays and text in, numbers out, no files, no torch.

Every metric is a small class with the same three methods: ``add`` one prediction with its truth,
``merge`` another worker's meter, and ``result``. However the samples are split over workers, the
merged result is the single-process number, bit for bit. Scores are fractions in [0, 1] (MME:
points), None where nothing was counted. Defaults are the official evaluator's; a parameter is named
after what it changes.

| what is measured | file |
|---|---|
| panoptic: PQ, SQ, RQ | panoptic_quality |
| semantic: mIoU, fwIoU, accuracies, boundary IoU | semantic |
| instances and boxes: COCO AP; Cityscapes AP | average_precision, cityscapes |
| instances in videos: YouTube-VIS AP; identity switches | ytvis, id_switches |
| referring and reasoning: cIoU, gIoU; gRefCOCO, with N-acc and T-acc | refer, grefer |
| regions: COCO-Interactive's cIoU, mIoU; Ego-Exo4D's IoU | interactive |
| boxes for expressions (REC): accuracy@0.5 | rec |
| videos: J and F of a frame; DAVIS and Ref-DAVIS17 | jf, davis |
| videos: MeViS, Ref-YouTube-VOS and ReVOS | video_expressions |
| questions: VQAv2, OKVQA, TextVQA, VizWiz, GQA | vqa |
| questions: POPE, MME; MMBench, ScienceQA | yes_or_no, multiple_choice |

``exact`` adds without rounding.
"""
