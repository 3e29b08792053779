"""Runs in the environment of packaging/consumers.py: other programs read our exports, and write files for us to read.

python foreign_tools.py read TOOL PATH IMAGES OUT.npz      masks (n, h, w), images (n), classes (n)
python foreign_tools.py write TOOL MASKS.npz IMAGES OUT    files of the tool from such an archive
"""

import json
import sys
from pathlib import Path

import numpy as np


def datumaro_items(path, form):
    import datumaro as dm

    data = dm.Dataset.import_from(str(path), form)
    labels = [each.name for each in data.categories()[dm.AnnotationType.label]]
    for item in data:
        for each in item.annotations:
            if each.type == dm.AnnotationType.mask:
                yield item.id, labels[each.label], np.asarray(each.image).astype(bool)
            elif each.type == dm.AnnotationType.polygon:
                import pycocotools.mask as coco

                size = [40, 60]
                runs = coco.merge(coco.frPyObjects([each.points], *size))
                yield item.id, labels[each.label], coco.decode(runs).astype(bool)


def supervision_items(data):
    for path, _, found in data:
        for k in range(len(found)):
            yield Path(path).stem, data.classes[found.class_id[k]], np.asarray(found.mask[k]).astype(bool)


def ultralytics_items(path):
    """What ultralytics trains on: labels as it verifies them, drawn as its own loader draws masks."""
    import yaml
    from ultralytics.data.utils import polygon2mask, verify_image_label

    names = yaml.safe_load((path / "data.yaml").read_text("utf-8"))["names"]
    for image in sorted((path / "images" / "train").iterdir()):
        file = path / "labels" / "train" / f"{image.stem}.txt"
        _, labels, shape, outlines, *_, corrupt, said = verify_image_label(
            (str(image), str(file), "", False, len(names), 0, 0, False)
        )
        if corrupt or said:
            raise ValueError(said)
        for label, outline in zip(labels, outlines, strict=True):
            corners = (outline * shape[::-1]).reshape(-1)
            yield image.stem, names[int(label[0])], polygon2mask(shape, [corners], 1, 1).astype(bool)


def read(tool, path, images):
    if tool == "ultralytics":
        yield from ultralytics_items(path)
        return
    import supervision as sv

    if tool.startswith("datumaro-"):
        yield from datumaro_items(path, tool.removeprefix("datumaro-"))
    elif tool == "supervision-coco":
        yield from supervision_items(sv.DetectionDataset.from_coco(str(images), str(path), force_masks=True))
    elif tool == "supervision-labelme":
        yield from supervision_items(sv.DetectionDataset.from_labelme(str(images), str(path), force_masks=True))
    elif tool == "supervision-yolo":
        places = (path / "images" / "train", path / "labels" / "train", path / "data.yaml")
        yield from supervision_items(sv.DetectionDataset.from_yolo(*map(str, places), force_masks=True))
    elif tool == "labelme":
        from labelme._label_file import LabelFile

        for file in sorted(Path(path).glob("*.json")):
            opened = LabelFile(str(file))
            for shape in opened.shapes:
                (x0, y0), (x1, y1) = shape["points"]
                bits = np.zeros((40, 60), bool)
                bits[int(y0) : int(y1) + 1, int(x0) : int(x1) + 1] = shape["mask"]
                yield file.stem, shape["label"], bits
    elif tool == "label-studio":
        from label_studio_converter.brush import decode_rle

        for task in json.loads(Path(path).read_text("utf-8")):
            for result in task["annotations"][0]["result"]:
                value = result["value"]
                size = (result["original_height"], result["original_width"], 4)
                bits = decode_rle(value["rle"]).reshape(size)[..., 3] > 0
                yield Path(task["data"]["image"]).stem, value["brushlabels"][0], bits


def boxes(tool, path, images):
    import supervision as sv

    data = sv.DetectionDataset.from_pascal_voc(str(images), str(path))
    for name, _, found in data:
        yield Path(name).stem, [data.classes[k] for k in found.class_id], found.xyxy.tolist()


def write(tool, masks, names, classes, images, out):
    import supervision as sv

    out.mkdir(parents=True)
    if tool == "label-studio":
        from label_studio_converter.brush import mask2rle

        tasks = []
        for name, label, bits in zip(names, classes, masks, strict=True):
            value = {"format": "rle", "rle": mask2rle(bits.astype(np.uint8) * 255), "brushlabels": [label]}
            size = {"original_height": bits.shape[0], "original_width": bits.shape[1]}
            result = {"type": "brushlabels", **size, "value": value}
            tasks.append({"data": {"image": name}, "annotations": [{"result": [result]}]})
        (out / "label_studio.json").write_text(json.dumps(tasks, default=int))
        return
    if tool.startswith("datumaro-"):
        import datumaro as dm

        kinds = sorted(set(classes))
        items = [
            dm.DatasetItem(
                id=name,
                media=dm.Image.from_file(path=str(images / f"{name}.png")),
                annotations=[
                    dm.Mask(bits, label=kinds.index(label), id=k + 1, group=k + 1)
                    for k, (other, label, bits) in enumerate(zip(names, classes, masks, strict=True))
                    if other == name
                ],
            )
            for name in sorted(set(names))
        ]
        made = dm.Dataset.from_iterable(items, categories=kinds, media_type=dm.Image)
        made.export(str(out / "made"), tool.removeprefix("datumaro-"))
        return
    kinds = sorted(set(classes))
    found = {}
    for name in sorted(set(names)):
        mine = [k for k, other in enumerate(names) if other == name]
        some = masks[mine]
        found[str(images / f"{name}.png")] = sv.Detections(
            xyxy=sv.mask_to_xyxy(some), mask=some, class_id=np.array([kinds.index(classes[k]) for k in mine])
        )
    data = sv.DetectionDataset(kinds, list(found), found)
    if tool == "supervision-coco":
        data.as_coco(annotations_path=str(out / "c.json"))
    elif tool == "supervision-yolo":
        data.as_yolo(annotations_directory_path=str(out / "labels"), data_yaml_path=str(out / "data.yaml"))
    elif tool == "supervision-labelme":
        data.as_labelme(annotations_directory_path=str(out))


def main(job, tool, *rest):
    if job == "read":
        path, images, out = map(Path, rest)
        found = list(read(tool, path, images))
        names, classes, masks = (list(column) for column in zip(*found, strict=True)) if found else ([], [], [])
        np.savez(out, masks=np.array(masks), names=np.array(names), classes=np.array(classes))
    elif job == "boxes":
        path, images, out = map(Path, rest)
        out.write_text(json.dumps(list(boxes(tool, path, images))))
    else:
        given, images, out = map(Path, rest)
        with np.load(given) as data:
            write(tool, data["masks"], data["names"].tolist(), data["classes"].tolist(), images, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
