"""The field's metrics, one file each: arrays and words in, numbers out, no files, no torch.

Every metric is a small class with the same three methods: ``add`` one answer with its truth,
``merge`` another worker's meter, and ``result``. However the answers are split over workers, the
merged result is the single-process number, bit for bit. Scores are fractions in [0, 1] (MME: its
points), None where nothing was asked. Defaults are the official evaluator's; a parameter is named
after what it changes.

| what is measured | file |
|---|---|
| panoptic: PQ, SQ, RQ | panoptic_quality |
| semantic: mIoU, fwIoU, accuracies, boundary IoU | semantic, semantic_boundary |
| instances and boxes: COCO AP; Cityscapes AP | average_precision, cityscapes |
| instances in videos: YouTube-VIS AP; identity switches | ytvis, id_switches |
| referring and reasoning: cIoU, gIoU; generalized, with N-acc and T-acc | refer, grefer |
| pointing: cIoU, mIoU; boxes for sentences: accuracy@0.5 | interactive, rec |
| videos: J and F of a frame; DAVIS; Ref-DAVIS | jf, davis, ref_davis |
| videos: MeViS and Ref-YouTube-VOS; ReVOS; Ego-Exo4D | mevis, revos, correspondence |
| questions: VQAv2, OKVQA, TextVQA, VizWiz | vqa, with vqa_words |
| questions: GQA, POPE, ScienceQA, MME, MMBench | gqa, pope, scienceqa, mme, mmbench |

``exact`` adds without rounding, ``match_table`` is the counting behind both kinds of AP, and
``proposals`` picks an answer among many masks as the papers do.
"""
