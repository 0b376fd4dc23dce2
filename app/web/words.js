// Every sentence that the page says by itself; prompts come from the server in both languages.

const TEXTS = {
  "brand": ["SIM 卡激活", "SIM activation"],
  "language": ["English", "中文"],
  "package.title": ["激活您的 SIM 卡", "Activate your SIM card"],
  "package.lead": [
    "请输入包裹中的激活码。我们会向您下单时留下的手机发送验证码。",
    "Enter the activation code from your package. A one-time code goes to the phone that you gave with your order.",
  ],
  "package.code": ["激活码", "Activation code"],
  "package.send": ["发送验证码", "Send the one-time code"],
  "code.title": ["输入验证码", "Enter the one-time code"],
  "code.lead": ["验证码已发送至 {phone}，十分钟内有效。", "A code was sent to {phone}. It is valid for ten minutes."],
  "code.code": ["6 位验证码", "Six digits"],
  "code.go": ["下一步", "Continue"],
  "code.again": ["重新发送", "Send it again"],
  "code.sent": ["已重新发送。", "Sent again."],
  "consent.agree": ["我同意", "I agree"],
  "consent.instead": [
    "不同意人脸识别，可携带身份证到营业厅办理，或预约人工视频。",
    "Without face recognition you can come to a store with your ID card, or have an attended video call.",
  ],
  "prepare.title": ["视频核验，约一分钟", "Video check, about one minute"],
  "prepare.card": ["准备好您的身份证原件", "Have your original ID card at hand"],
  "prepare.sim": ["准备好收到的 SIM 卡（条形码或号码可见）", "Have the SIM card at hand, with its bar code or number"],
  "prepare.light": ["光线充足，不要背对窗户", "Good light; no window behind you"],
  "prepare.alone": ["画面中只有您一个人，请摘下口罩和帽子", "Only you in the picture, without mask or hat"],
  "prepare.profile": ["有不方便的动作吗？", "Is there a movement that you cannot do?"],
  "profile.standard": ["没有", "No"],
  "profile.no_blink": ["不便眨眼", "I cannot blink"],
  "profile.no_turn": ["不便左右转头", "I cannot turn my head"],
  "profile.no_nod": ["不便抬头低头", "I cannot nod"],
  "profile.no_blink_no_turn": ["不便眨眼和转头", "I can neither blink nor turn my head"],
  "prepare.start": ["打开摄像头并开始", "Open the camera and start"],
  "prepare.privacy": [
    "视频加密传输，只用于核验本人与订单一致。不录制声音。",
    "The video is encrypted and used only to verify that you are the person of this order. No sound is recorded.",
  ],
  "check.title": ["视频核验", "Video check"],
  "check.connecting": ["正在连接，请稍候…", "Connecting…"],
  "check.full": ["当前核验人数较多，正在排队，请稍候…", "All places are taken; waiting for one…"],
  "check.cancel": ["取消", "Cancel"],
  "check.progress": ["本步进度 {percent}%", "{percent} % of this step"],
  "stage.position": ["第 1 步，共 4 步", "Step 1 of 4"],
  "stage.movement": ["第 2 步，共 4 步", "Step 2 of 4"],
  "stage.document": ["第 3 步，共 4 步", "Step 3 of 4"],
  "stage.sim": ["第 4 步，共 4 步", "Step 4 of 4"],
  "hint.no_face": ["未看到面部", "No face is seen"],
  "hint.two_faces": ["画面中只能有您一个人", "Only you may be in the picture"],
  "hint.too_dark": ["光线太暗，请到明亮处", "Too dark; go where there is more light"],
  "hint.too_far": ["请靠近一些", "Come closer"],
  "hint.too_close": ["请离远一些", "Move back a little"],
  "hint.off_centre": ["请将面部移到框中央", "Move your face to the middle"],
  "hint.look_straight": ["请正视屏幕", "Look straight ahead"],
  "hint.hold_still": ["请保持不动", "Hold still"],
  "hint.card_not_seen": ["未看到身份证人像面", "The front of the ID card is not seen"],
  "hint.card_glare": ["身份证反光，请换个角度", "The card reflects light; tilt it a little"],
  "hint.card_blurred": ["画面模糊，请拿稳或稍微离远", "Blurred; hold it still or a little further away"],
  "hint.iccid_not_seen": ["未看到 SIM 卡号码", "The SIM card's number is not seen"],
  "result.again": ["重新核验", "Try again"],
  "result.received.title": ["已收到，正在确认", "Received; we are checking"],
  "result.received.text": ["几秒钟内告诉您结果，请不要关闭页面。", "You will know in seconds. Please keep this page open."],
  "result.active.title": ["号码已开通", "Your number is switched on"],
  "result.active.text": ["请将 SIM 卡插入手机使用。", "Put the SIM card into your phone."],
  "result.looked_at.title": ["工作人员正在查看", "Somebody is looking at it"],
  "result.looked_at.text": [
    "您现在无需操作。结果会以短信通知您；如需重新核验，也会短信告知。",
    "You need not do anything now. We will send you a message, also if another check is needed.",
  ],
  "result.awaiting_delivery.title": ["核验完成", "The check is done"],
  "result.awaiting_delivery.text": [
    "确认收件后号码会自动开通，结果以短信通知您。",
    "Your number is switched on as soon as the delivery is confirmed. We will send you a message.",
  ],
  "result.try_again.title": ["请再试一次", "Please try again"],
  "result.try_again.text": ["本次未能完成核验。本小时还可尝试 {left} 次。", "The check was not completed. {left} attempts are left this hour."],
  "result.none_left.text": ["本小时的次数已用完，请稍后再试，或到营业厅办理。", "No attempts are left this hour. Try later, or come to a store."],
  "result.slow.title": ["仍在确认", "Still checking"],
  "result.slow.text": ["可以关闭页面，结果会以短信通知您。", "You may close this page. We will send you a message."],
  "result.closed.title": ["请到营业厅办理", "Please come to a store"],
  "result.closed.text": ["线上无法办理，请携带身份证到营业厅。", "This cannot be done online. Please bring your ID card to a store."],
  "result.lost.title": ["连接中断", "The connection was lost"],
  "result.lost.text": ["请检查网络后重新核验，会有新的动作。", "Check your network and try again; there will be new movements."],
  "result.away.title": ["核验已停止", "The check was stopped"],
  "result.away.text": ["核验时请不要离开页面、接电话或锁屏。", "Please stay on this page, without calls and with the screen on."],
  "result.cancelled.title": ["已取消", "Cancelled"],
  "result.cancelled.text": ["您可以重新核验。", "You can try again."],
  "result.expired.title": ["时间已到", "Time is up"],
  "result.expired.text": ["请准备好身份证和 SIM 卡后重新核验。", "Have ID card and SIM card ready and try again."],
  "trouble.camera_denied": [
    "摄像头未被允许。请在浏览器地址栏的网站设置中允许使用摄像头，然后再试。\niPhone：设置 › Safari › 相机 › 允许。",
    "The camera was not allowed. Allow it in the site settings beside the address, then try again.\niPhone: Settings › Safari › Camera › Allow.",
  ],
  "trouble.camera_missing": ["没有找到摄像头。请用带前置摄像头的手机打开此页面。", "No camera was found. Open this page on a phone with a front camera."],
  "trouble.camera_busy": ["摄像头正被其他应用使用。请关闭其他应用后再试。", "Another app uses the camera. Close it and try again."],
  "trouble.browser": [
    "当前浏览器不支持视频核验。请点右上角菜单，选择“在浏览器中打开”。",
    "This browser cannot do a video check. Use the menu to open the page in Safari or Chrome.",
  ],
  "trouble.insecure": ["请用 https 开头的链接打开此页面。", "Open this page with the link that begins with https."],
  "trouble.network": ["网络不通，请检查网络后再试。", "No network. Check it and try again."],
  "trouble.code_form": ["请输入 6 位数字。", "Enter six digits."],
  "trouble.package_form": ["请输入包裹中的激活码。", "Enter the activation code from the package."],
  "trouble.signed_out": ["登录已过期，请重新获取验证码。", "You were signed out. Ask for a new code."],
};

let current = (navigator.languages ?? [navigator.language]).find((tag) => /^(zh|en)/i.test(tag)) ?? "zh";
current = /^en/i.test(current) ? "en" : "zh-CN";

export function language() {
  return current;
}

export function toggleLanguage() {
  current = current === "en" ? "zh-CN" : "en";
}

/** The sentence `key`, with `{name}` replaced by `values.name`; null for a key that is not known. */
export function text(key, values = {}) {
  const pair = TEXTS[key];
  if (!pair) return null;
  return pair[current === "en" ? 1 : 0].replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Writes the sentences of all elements that name one. */
export function speak(root = document) {
  document.documentElement.lang = current;
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
}
