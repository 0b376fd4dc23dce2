"""README.txt of a case file, in zh-CN and en."""

from __future__ import annotations

TEXT = """\
案卷：一个订单的全部登记材料（R10.3）
====================================

manifest.json    所有文件的 SHA-256、订单、制作时间、制作人、理由
manifest.sig     审计密钥（Ed25519）对 manifest.json 的签名
order.json       订单、卡与各状态
facts.json       事实（证据的测量结果；姓名与证件号码只有密钥散列）
decisions.json   每项决定的全部输入与结论，可重新计算
evidence.json    证据清单：种类、SHA-256、大小、时间；media/ 中是影像本身（如有）
deliveries.json  派送及其事件
checks.json      视频核验的各次尝试
review.json      人工审核与每次查看
consents.json    同意的记录
holds.json       停止命令及其对本订单的作用
retention.json   法定保全、本人请求、销毁记录
audit.json       该订单的审计链，每条与前一条以 SHA-256 相连；过长时续于 audit-2.json 等
proof.json       该链属于最近一个已签名检查点的证明（如已有）
identity.json    身份信息明文（仅在注明理由要求时；本次提取已记入审计链）

核验：取得运营商公布的审计公钥 audit.pub.pem 和核验程序 casefile.pyz
（Python 3.11 及 cryptography，不需要数据库和网络），然后：

    python casefile.pyz open 案卷 --key 收件人私钥.pem --out 文件夹
    python casefile.pyz verify 文件夹 --public-key audit.pub.pem

没有差异时退出状态为 0；否则逐一指出被更改、增加、缺失或调换的文件、断裂的链、
错误的证明或签名。请勿信任案卷内附带的任何公钥。

Case file: everything on record about one order (R10.3)
=======================================================

manifest.json    SHA-256 of every member, order, when, by whom and why it was made
manifest.sig     Ed25519 signature over manifest.json by the audit key
order.json       the order, its card and its state
facts.json       facts: what was measured; names and numbers only as keyed hashes
decisions.json   each decision with its whole input and its answer, so that it can be made again
evidence.json    list of evidence: kind, SHA-256, size, time; media/ holds them where asked for
deliveries.json  parcels and what happened to them
checks.json      attempts at the video check
review.json      reviewers' cases and every look at evidence
consents.json    what was agreed to, and when
holds.json       orders to stop, and what they stopped of this order
retention.json   legal holds, requests of the applicant, destruction
audit.json       the order's audit chain; each entry is linked to the one before by SHA-256;
                 a long chain goes on in audit-2.json and so on
proof.json       that this chain is in the latest signed checkpoint, where there is one
identity.json    identity in clear, only where it was asked for with a reason; that was recorded in the chain

To verify, get the operator's audit public key audit.pub.pem and the program casefile.pyz (Python 3.11 and
cryptography; no database, no network), then:

    python casefile.pyz open FILE --key RECIPIENT_PRIVATE.pem --out FOLDER
    python casefile.pyz verify FOLDER --public-key audit.pub.pem

Exit status 0 says that nothing differs. Otherwise each changed, added, missing or swapped file, a broken
chain, a wrong proof or signature is named. Trust no public key that comes inside a case file.
"""
