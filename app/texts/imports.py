"""Why a line or a file was not imported."""

from __future__ import annotations

from app.texts.text import Text
from logistics.csv_lines import MAX_LINES, FileRefusal, LineRefusal

LINES: dict[LineRefusal, Text] = {
    LineRefusal.TOO_LONG: Text("此行过长。", "The line is too long."),
    LineRefusal.NOT_TEXT: Text("此行编码有误。", "The line is not text in UTF-8 or GB 18030."),
    LineRefusal.COLUMNS: Text("列数不对。", "The line has too few or too many columns."),
    LineRefusal.ICCID_ROUNDED: Text(
        "ICCID 被表格软件改成了科学计数法，请按文本导出。",
        "A spreadsheet has rounded the ICCID; export the column as text.",
    ),
    LineRefusal.ICCID_INVALID: Text(
        "ICCID 须为 89 开头的 19 或 20 位数字。", "An ICCID has 19 or 20 digits."
    ),
    LineRefusal.ICCID_CHECK_DIGIT: Text("ICCID 校验位不对。", "The ICCID's check digit is wrong."),
    LineRefusal.IMSI_INVALID: Text("IMSI 须为 15 位数字。", "An IMSI has 15 digits."),
    LineRefusal.BATCH_INVALID: Text("批次缺失或过长。", "The batch is missing or too long."),
    LineRefusal.ICCID_TWICE_IN_FILE: Text("文件中已有此 ICCID。", "The file has this ICCID already."),
    LineRefusal.IMSI_TWICE_IN_FILE: Text("文件中已有此 IMSI。", "The file has this IMSI already."),
    LineRefusal.ICCID_TAKEN: Text("此 ICCID 已入库，但 IMSI 不同。", "In stock with another IMSI."),
    LineRefusal.IMSI_TAKEN: Text("此 IMSI 已属于另一张卡。", "The IMSI belongs to another card."),
    LineRefusal.OTHER_BATCH: Text("此卡已在另一批次入库。", "The card is in stock in another batch."),
    LineRefusal.NUMBER_ROUNDED: Text(
        "号码被表格软件改成了科学计数法，请按文本导出。",
        "A spreadsheet has rounded the number; export the column as text.",
    ),
    LineRefusal.NUMBER_INVALID: Text("须为 11 位大陆手机号码。", "Not a mobile number of mainland China."),
    LineRefusal.NUMBER_TWICE_IN_FILE: Text("文件中已有此号码。", "The file has this number already."),
    LineRefusal.REGION_INVALID: Text("地区过长。", "The region is too long."),
    LineRefusal.OTHER_REGION: Text("此号码已在另一地区入库。", "In the pool of another region."),
}

FILES: dict[FileRefusal, Text] = {
    FileRefusal.EMPTY: Text("文件中没有数据。", "The file holds no data."),
    FileRefusal.WRONG_ENCODING: Text("请以 UTF-8 编码保存文件。", "Save the file as UTF-8."),
    FileRefusal.HEADING: Text("标题行缺少必需的列。", "The heading lacks a column."),
    FileRefusal.TOO_MANY_LINES: Text(
        f"文件超过 {MAX_LINES} 行，请拆分；之前的行已导入。",
        f"More than {MAX_LINES} lines; split the file. The lines before were imported.",
    ),
}
