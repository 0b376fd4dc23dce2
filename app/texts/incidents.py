"""Words of the incident report."""

from __future__ import annotations

from app.texts.text import Text

WORDS: dict[str, Text] = {
    "title": Text("用户个人信息安全事件报告", "Report on an incident with identity data"),
    "incident": Text("事件编号", "Incident"),
    "kind": Text("类型", "Kind"),
    "severity": Text("严重程度", "Severity"),
    "state": Text("状态", "State"),
    "discovered_at": Text("发现时间", "Discovered"),
    "recorded_at": Text("登记时间", "Recorded"),
    "closed_at": Text("结束时间", "Closed"),
    "made_at": Text("报告生成时间", "Report made"),
    "what": Text("情况", "What happened"),
    "conclusion": Text("结论", "What came of it"),
    "affected": Text("受影响的用户", "Whom it concerns"),
    "people": Text("人数", "People"),
    "orders": Text("订单数", "Orders"),
    "by_province": Text("按省份（订单数）", "Orders by province"),
    "measures": Text("已采取的措施", "Measures taken"),
    "deadlines": Text("时限", "Deadlines"),
    "due_at": Text("截止", "Due"),
    "done_at": Text("完成", "Done"),
    "not_done": Text("未完成", "not done"),
    "order_ids": Text("受影响的订单编号", "Orders concerned"),
    "not_all": Text(
        "仅列出部分订单编号，其余见数据文件。", "Not all orders are listed; the data file has the rest."
    ),
    "unknown": Text("未知", "unknown"),
    "none": Text("无", "none"),
    "leak": Text("泄露", "leak"),
    "damage": Text("毁损", "damage"),
    "loss": Text("丢失", "loss"),
    "misuse": Text("滥用", "misuse"),
    "minor": Text("一般", "minor"),
    "serious": Text("可能造成严重后果", "serious consequences possible"),
    "grave": Text("已造成严重后果", "serious consequences"),
    "open": Text("处理中", "open"),
    "closed": Text("已结束", "closed"),
    "remedy": Text("立即补救", "Remedied"),
    "report_authority": Text("报告主管部门", "Reported to the authority"),
    "tell_people": Text("告知用户", "People told"),
    "final_report": Text("处理结果报告", "Final report"),
    "note": Text("措施", "measure"),
    "duty": Text("履行义务", "duty done"),
    "accounts_disabled": Text("停用账号", "accounts ended"),
    "hold": Text("暂停业务", "hold placed"),
}
