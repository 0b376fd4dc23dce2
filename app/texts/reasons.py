"""The gate's reasons in words, for reviewers and operators; applicants never see them."""

from __future__ import annotations

from activation.findings import Reason as R
from app.texts.text import Text

REASONS: dict[R, Text] = {
    R.CAPTURES_MISSING: Text("缺少证件和手持照片。", "The captures are missing."),
    R.DOCUMENT_NOT_VALID: Text("证件已过有效期。", "The document is not valid today."),
    R.UNDER_AGE: Text("未达到规定年龄。", "Younger than the policy allows."),
    R.DIFFERENT_DOCUMENTS: Text(
        "手持证件与正面照片不是同一证件。", "Handheld and front show different documents."
    ),
    R.HEAD_COVERED: Text("手持照片中可能戴帽。", "The head may be covered in the handheld photo."),
    R.PRECHECK_FACE_UNCERTAIN: Text(
        "手持人脸与证件照相似度不确定。", "Handheld face and portrait: uncertain."
    ),
    R.PRECHECK_FACE_DIFFERS: Text("手持人脸与证件照不符。", "Handheld face and portrait differ."),
    R.PRECHECK_FACE_NOT_COMPARED: Text(
        "手持人脸未能与证件照比对。", "Handheld face and portrait: not compared."
    ),
    R.REGISTRY_MISSING: Text("尚无公民身份核验结果。", "The registry has not answered."),
    R.REGISTRY_MISMATCH: Text("公民身份核验不一致。", "The registry says: mismatch."),
    R.REGISTRY_UNKNOWN: Text("公民身份核验查无此人。", "The registry does not know this identity."),
    R.QUOTA_MISSING: Text("尚未占用证件名下的卡数名额。", "No place among the document's cards yet."),
    R.CARD_LIMIT_REACHED: Text("该证件名下的卡数已达上限。", "The document's card limit is reached."),
    R.HELD: Text("订单已被暂停。", "The order is held."),
    R.FACE_CONSENT_WITHDRAWN: Text(
        "申请人已撤回人脸识别同意。", "The applicant took back the consent to face recognition."
    ),
    R.SIM_MISSING: Text("尚未绑定 SIM 卡。", "No card is bound to the order."),
    R.HANDOVER_MISSING: Text("尚未交付给本人。", "Not handed over yet."),
    R.HANDOVER_OTHER_CARD: Text("交付的不是此订单的卡。", "Another card was handed over."),
    R.HANDOVER_NOT_CONFIRMED: Text("派送员未完成本人核对。", "The courier did not confirm the person."),
    R.HANDOVER_MISMATCH: Text("派送员记录人证不符。", "The courier recorded a mismatch."),
    R.COURIER_FACE_UNCERTAIN: Text(
        "派送照片与证件照相似度不确定。", "Courier's photo and portrait: uncertain."
    ),
    R.COURIER_FACE_DIFFERS: Text("派送照片与证件照不符。", "Courier's photo and portrait differ."),
    R.COURIER_FACE_NOT_COMPARED: Text(
        "派送照片未能与证件照比对。", "Courier's photo and portrait: not compared."
    ),
    R.VIDEO_CHECK_MISSING: Text("尚未通过视频核验。", "No video check was passed."),
    R.VIDEO_CHECK_FAILED_OFTEN: Text("视频核验多次未通过。", "The video check failed several times."),
    R.CHECK_NOT_FINISHED: Text("视频核验未完成。", "The video check was not finished."),
    R.CHALLENGE_NOT_ANSWERED: Text("未按要求完成动作。", "The movements were not done as asked."),
    R.FACE_FLAT: Text("视频中的人脸像是平面图像。", "The face in the video is flat, like a picture."),
    R.DEPTH_NOT_SEEN: Text("视频中未能测得人脸立体感。", "The face's depth could not be measured."),
    R.PERSON_CHANGED: Text("视频中途疑似换人。", "The person seems to change during the video."),
    R.CONTINUITY_UNCERTAIN: Text("视频前后是否同一人不确定。", "One person throughout the video: uncertain."),
    R.SECOND_FACE: Text("视频中出现第二张人脸。", "A second face appears in the video."),
    R.STREAM_REPEATS: Text("视频画面重复或停顿过多。", "The stream repeats or freezes."),
    R.LIVE_FACE_UNCERTAIN: Text(
        "视频人脸与已提交人脸相似度不确定。", "Live face and submitted faces: uncertain."
    ),
    R.LIVE_FACE_DIFFERS: Text("视频人脸与已提交人脸不符。", "Live face and submitted faces differ."),
    R.LIVE_FACE_NOT_COMPARED: Text("视频人脸未能比对。", "The live face was not compared."),
    R.VIDEO_DOCUMENT_NOT_READ: Text("视频中的证件未能读出。", "The document in the video was not read."),
    R.VIDEO_DOCUMENT_DIFFERS: Text(
        "视频中的证件号码与提交的不符。", "The video shows another document number."
    ),
    R.VIDEO_NAME_DIFFERS: Text("视频中的姓名与提交的不符。", "The video shows another name."),
    R.SIM_NOT_SHOWN: Text("视频中未出示 SIM 卡。", "The card was not shown in the video."),
    R.SIM_DIFFERS: Text("视频中出示的不是此订单的卡。", "The video shows another card."),
    R.REVIEWER_REFUSED: Text("审核员已拒绝。", "A reviewer refused."),
    R.REVIEWER_WANTS_NEW_CAPTURE: Text("审核员要求重新拍摄。", "A reviewer asked for new captures."),
}
