"""For each refusal of a capture: what the person should do, in Chinese and English."""

from __future__ import annotations

from media.captures.codes import CaptureCode, HandheldRefusal, ProcessingRefusal
from media.documents.readings import DocumentRefusal
from media.images import ImageRefusal

_IMAGE = {
    ImageRefusal.EMPTY: (
        "没有收到照片，请重新拍摄并上传。",
        "No picture arrived. Please take it and send it again.",
    ),
    ImageRefusal.TOO_LARGE: (
        "照片超过 12 MB，请用普通拍照模式重新拍摄。",
        "The picture is larger than 12 MB. Please take it again in the ordinary photo mode.",
    ),
    ImageRefusal.UNSUPPORTED_FORMAT: (
        "不支持这种文件，请上传 JPEG、PNG、WebP 或 HEIC 格式的照片。",
        "This kind of file cannot be used. Please send a JPEG, PNG, WebP or HEIC picture.",
    ),
    ImageRefusal.UNREADABLE: (
        "照片文件已损坏，请重新拍摄并上传。",
        "The picture file is damaged. Please take the picture again and send it.",
    ),
    ImageRefusal.TOO_MANY_PIXELS: (
        "照片像素过高，请调低相机分辨率后重新拍摄。",
        "The picture has too many pixels. Please lower the camera's resolution and take it again.",
    ),
    ImageRefusal.TOO_SMALL: (
        "照片尺寸过小，请上传原图，不要上传缩略图。",
        "The picture is too small. Please send the original, not a thumbnail.",
    ),
    ImageRefusal.ANIMATED: (
        "不能使用动态图片，请上传一张普通照片。",
        "A moving picture cannot be used. Please send an ordinary photo.",
    ),
}

_DOCUMENT = {
    DocumentRefusal.CARD_NOT_FOUND: (
        "照片中没有找到居民身份证，请把证件平放在深色桌面上，完整拍摄。",
        "No resident identity card was found. Lay the card flat on a dark table and photograph all of it.",
    ),
    DocumentRefusal.CARD_TOO_SMALL: (
        "证件在照片中太小，请靠近一些拍摄。",
        "The card is too small in the picture. Please move closer.",
    ),
    DocumentRefusal.CUT_EDGES: (
        "证件边缘没有拍全，请让四个角都在画面内。",
        "The card is cut off. Please keep all four corners inside the picture.",
    ),
    DocumentRefusal.TOO_DARK: (
        "照片太暗，请到光线充足的地方重新拍摄。",
        "The picture is too dark. Please take it again where there is more light.",
    ),
    DocumentRefusal.OVER_EXPOSED: (
        "照片太亮，请避开强光后重新拍摄。",
        "The picture is too bright. Please take it again away from strong light.",
    ),
    DocumentRefusal.BLURRED: (
        "照片模糊，请握稳手机、等对焦清晰后再拍。",
        "The picture is blurred. Hold the phone still, wait until it is in focus, and take it again.",
    ),
    DocumentRefusal.GLARE: (
        "证件上有反光，请关闭闪光灯并换个角度拍摄。",
        "Light is reflected on the card. Switch the flash off and take it from another angle.",
    ),
    DocumentRefusal.PHOTOCOPY: (
        "看起来是黑白复印件，请拍摄证件原件。",
        "This looks like a black-and-white copy. Please photograph the card itself.",
    ),
    DocumentRefusal.BACK_SHOWN: (
        "这是国徽面，请拍摄有人像的一面。",
        "This is the side with the emblem. Please photograph the side with the portrait.",
    ),
    DocumentRefusal.FRONT_SHOWN: (
        "这是人像面，请拍摄有国徽的一面。",
        "This is the side with the portrait. Please photograph the side with the emblem.",
    ),
    DocumentRefusal.NUMBER_UNREAD: (
        "无法读出证件下方的文字，请确认是居民身份证，擦净后清晰拍摄。",
        "The line at the bottom of the card cannot be read. Please make sure that it is a resident identity "
        "card, wipe it and take a sharp picture.",
    ),
    DocumentRefusal.NUMBER_INVALID: (
        "读出的公民身份号码不正确，请清晰地重新拍摄证件原件。",
        "The number that was read is not an identity number. Please take a sharp picture of the card itself.",
    ),
    DocumentRefusal.FIELDS_DISAGREE: (
        "证件上的信息前后不一致，请清晰地重新拍摄证件原件。",
        "What is printed on the card does not agree. Please take a sharp picture of the card itself.",
    ),
    DocumentRefusal.NAME_UNSURE: (
        "姓名看不清楚，请靠近一些、对准姓名重新拍摄。",
        "The name cannot be read with certainty. Please move closer and take a sharp picture.",
    ),
    DocumentRefusal.FIELD_UNREAD: (
        "证件上有的内容看不清楚，请避开遮挡和反光后重新拍摄。",
        "Some of the card cannot be read. Please take the picture again with nothing covering the card.",
    ),
    DocumentRefusal.PORTRAIT_MISSING: (
        "证件上的人像看不清楚，请不要遮挡人像后重新拍摄。",
        "The portrait on the card cannot be seen. Please take the picture again without covering it.",
    ),
    DocumentRefusal.UNDER_AGE: (
        "您的年龄未达到线上办理的要求，请由监护人陪同到营业厅办理。",
        "You are too young to apply online. Please come to a store together with your guardian.",
    ),
    DocumentRefusal.EXPIRED: (
        "证件已过有效期，请使用有效的居民身份证。",
        "The card has expired. Please use a valid resident identity card.",
    ),
    DocumentRefusal.NOT_YET_VALID: (
        "证件尚未到生效日期，请在生效后办理。",
        "The card is not valid yet. Please apply once it is.",
    ),
    DocumentRefusal.SAME_IMAGE_TWICE: (
        "同一张照片上传了两次，请分别拍摄。",
        "The same picture was sent twice. Please take each picture separately.",
    ),
    DocumentRefusal.DIFFERENT_DOCUMENTS: (
        "几张照片似乎不是同一张证件，请用同一张身份证重新拍摄。",
        "The pictures do not seem to show one and the same card. Please take them all again with one card.",
    ),
}

_HANDHELD = {
    HandheldRefusal.NO_FACE: (
        "照片中没有看到人脸，请本人正对镜头手持身份证拍摄。",
        "No face was found. Please face the camera yourself and hold your identity card.",
    ),
    HandheldRefusal.SEVERAL_FACES: (
        "照片中有多个人，请只让本人入镜。",
        "There is more than one person. Please take the picture of yourself alone.",
    ),
    HandheldRefusal.FACE_TOO_SMALL: (
        "人脸太小，请靠近镜头一些。",
        "Your face is too small. Please come closer to the camera.",
    ),
    HandheldRefusal.FACE_TOO_DARK: (
        "面部太暗，请面向光源重新拍摄。",
        "Your face is too dark. Please turn towards the light and take the picture again.",
    ),
    HandheldRefusal.FACE_BLURRED: (
        "面部模糊，请握稳手机重新拍摄。",
        "Your face is blurred. Please hold the phone still and take the picture again.",
    ),
    HandheldRefusal.HEAD_COVERED: (
        "请摘下帽子、露出额头后重新拍摄。",
        "Please take off your hat, show your forehead and take the picture again.",
    ),
    HandheldRefusal.HEAD_CUT: (
        "头部没有拍全，请让整个头部（包括头发）入镜后重新拍摄。",
        "The top of your head is not in the picture. Please take it again with your whole head.",
    ),
    HandheldRefusal.CARD_NOT_SEEN: (
        "没有看到身份证，请把人像面举在胸前拍摄。",
        "No identity card was seen. Please hold it in front of your chest, the portrait side to the camera.",
    ),
    HandheldRefusal.CARD_PORTRAIT_NOT_SEEN: (
        "证件上的人像看不清楚，请不要用手指遮挡。",
        "The portrait on the card cannot be seen. Please keep your fingers off it.",
    ),
    HandheldRefusal.CARD_NUMBER_UNREAD: (
        "证件上的号码看不清楚，请把证件靠近镜头并避免反光；自拍时请关闭镜像。",
        "The number on the card cannot be read. Please hold the card closer, without reflections, and switch "
        "off mirroring if your camera mirrors selfies.",
    ),
}

_PROCESSING = {
    ProcessingRefusal.TOO_SLOW: (
        "这张照片无法处理，请重新拍摄一张。",
        "This picture could not be processed. Please take another one.",
    ),
    ProcessingRefusal.BROKE_READER: (
        "这张照片无法处理，请重新拍摄一张。",
        "This picture could not be processed. Please take another one.",
    ),
}

CAPTURE_MESSAGES: dict[CaptureCode, dict[str, str]] = {
    code: {"zh-CN": chinese, "en": english}
    for table in (_IMAGE, _DOCUMENT, _HANDHELD, _PROCESSING)
    for code, (chinese, english) in table.items()
}
"""Every code's text by language."""
