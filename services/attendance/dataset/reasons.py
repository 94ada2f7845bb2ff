"""The sentences of all findings, in English and Indonesian."""

from collections.abc import Mapping

LANGUAGES = ("en", "id")

_SENTENCES: dict[str, tuple[str, str]] = {
    # Why nothing can be loaded.
    "no_folder": ("is no folder", "bukan folder"),
    "missing_file": ("is missing", "tidak ada"),
    "missing_column": ("is a missing column", "adalah kolom yang tidak ada"),
    "unknown_column": ("is an unknown column", "adalah kolom yang tidak dikenal"),
    "doubled_column": ("is a column given twice", "adalah kolom yang tertulis dua kali"),
    # Rows and lines.
    "wrong_cell_count": (
        "has {found} cells where the header has {expected}",
        "berisi {found} sel, sedangkan judul kolom ada {expected}",
    ),
    "not_utf8": ("is not UTF-8", "bukan UTF-8"),
    "bad_quotes": (
        "has a quotation mark that is not closed or stands in the wrong place",
        "memuat tanda kutip yang tidak ditutup atau salah tempat",
    ),
    "unstorable": (
        "contains a character that cannot be stored",
        "memuat karakter yang tidak dapat disimpan",
    ),
    "bad_device_line": (
        "is no device line: PIN, tab, YYYY-MM-DD HH:MM:SS",
        "bukan baris mesin: PIN, tab, YYYY-MM-DD HH:MM:SS",
    ),
    "more_lines": (
        "stands for {count} further lines with the same trouble",
        "mewakili {count} baris lain dengan masalah yang sama",
    ),
    # Values.
    "blank": ("must not be blank", "tidak boleh kosong"),
    "not_a_date": ("is not a date (YYYY-MM-DD)", "bukan tanggal (YYYY-MM-DD)"),
    "not_a_moment": (
        "is not a date or time (YYYY-MM-DDTHH:MM:SS)",
        "bukan tanggal atau waktu (YYYY-MM-DDTHH:MM:SS)",
    ),
    "not_a_code": (
        "is not a regency code such as 53.01",
        "bukan kode kabupaten/kota seperti 53.01",
    ),
    "wrong_province": (
        "is not the part of the regency code before the dot",
        "bukan bagian kode kabupaten/kota sebelum titik",
    ),
    "not_a_zone": (
        "is not a time zone such as Asia/Makassar",
        "bukan zona waktu seperti Asia/Makassar",
    ),
    "not_one_of": ("is none of {allowed}", "bukan salah satu dari {allowed}"),
    "unknown": (
        "names {what_en} that is not in the dataset",
        "menyebut {what_id} yang tidak ada dalam data",
    ),
    "unread": (
        "names {what_en} whose row could not be read",
        "menyebut {what_id} yang barisnya tidak dapat dibaca",
    ),
    "end_before_beginning": ("ends before it begins", "berakhir sebelum mulai"),
    "revoked_before_recorded": ("is revoked before it is recorded", "dicabut sebelum dicatat"),
    "second_with_id": (
        "is used a second time; the row in line {first} stands",
        "dipakai untuk kedua kali; baris {first} yang berlaku",
    ),
    "contradicts": (
        "is published with other content in {other}, which stands",
        "terbit dengan isi lain dalam {other}, yang berlaku",
    ),
    # Documents.
    "unreadable_yaml": (
        "cannot be read as one YAML document",
        "tidak dapat dibaca sebagai satu dokumen YAML",
    ),
    "missing_key": ("is missing", "tidak ada"),
    "not_a_list": ("is not a list", "bukan daftar"),
    "joins_names": (
        "contains ';', which stands between names in tables",
        "memuat ';', yang memisahkan nama dalam tabel",
    ),
    "not_a_mapping": ("is not a mapping", "bukan pasangan nama dan nilai"),
    "not_a_text": ("is not a single value", "bukan satu nilai"),
    "not_a_number": (
        "is not a whole number of at least {least}",
        "bukan bilangan bulat sekurangnya {least}",
    ),
    "not_a_boolean": ("is neither true nor false", "bukan true atau false"),
    "not_a_clock_time": (
        'is not a time such as "07:30" or "30:00"',
        'bukan jam seperti "07:30" atau "30:00"',
    ),
    "doubled_days": ("is given twice in one ladder", "tertulis dua kali dalam satu jenjang"),
    # Doubts: the row is loaded.
    "doubtful_nip": ("is not a valid NIP of 18 digits", "bukan NIP 18 digit yang sah"),
    "spreadsheet_nip": (
        "is a NIP that a spreadsheet has rounded: its digits are lost",
        "adalah NIP yang dibulatkan oleh aplikasi lembar kerja: angkanya hilang",
    ),
    "unknown_position": ("is no known position level", "bukan jenjang jabatan yang dikenal"),
    "unknown_supervisor": (
        "is a supervisor who is not in the dataset",
        "adalah atasan yang tidak ada dalam data",
    ),
    "no_schedule": (
        "has no schedule in force: nothing is required of this person",
        "tidak punya jadwal yang berlaku: pegawai ini tidak dituntut hadir",
    ),
    "no_rule_set": (
        "has no rule set in force: no threshold can be reached",
        "tidak punya aturan yang berlaku: tidak ada ambang yang dapat tercapai",
    ),
    "unresolved_pin": (
        "is a PIN that nobody had on that date; punches that wait for it: {count}",
        "adalah PIN tanpa pemilik pada tanggal itu; ketukan yang menunggu: {count}",
    ),
    "overlapping_pins": (
        "overlaps the assignment in line {first}; the last begun counts",
        "bertumpang tindih dengan baris {first}; yang terakhir mulai yang berlaku",
    ),
    "received_before": ("is received before it happened", "diterima sebelum terjadi"),
    "via_device": (
        "claims a device, but this table is for check-ins without one",
        "menyebut mesin, padahal tabel ini untuk presensi tanpa mesin",
    ),
    "blank_kind": ("does not say what kind of letter it is", "tidak menyebut jenis surat"),
    "due_outside": ("is not between opening and closing", "tidak di antara buka dan tutup"),
    "repeated": ("repeats line {first}", "mengulang baris {first}"),
    "unknown_key": (
        "is an unknown name and is not read",
        "adalah nama yang tidak dikenal dan tidak dibaca",
    ),
    "published_otherwise": (
        "is published already and reads otherwise here; nothing was sent. {conflict}",
        "sudah diterbitkan dan di sini berbunyi lain; tidak ada yang dikirim. {conflict}",
    ),
    "unknown_file": (
        "is no file of a dataset and is not read",
        "bukan berkas data dan tidak dibaca",
    ),
}

NOUNS: dict[str, tuple[str, str]] = {
    "regency": ("a regency", "kabupaten/kota"),
    "scope": ("a scope", "cakupan"),
    "unit": ("a unit", "unit kerja"),
    "device": ("a device", "mesin"),
    "employee": ("an employee", "pegawai"),
    "schedule": ("a schedule", "jadwal"),
}


def sentence(code: str, language: str, details: Mapping[str, str]) -> str:
    """Give the sentence of a code. Errors: KeyError for an unknown code or language."""
    which = {"en": 0, "id": 1}[language]
    if "what" in details:
        english, indonesian = NOUNS[details["what"]]
        details = {**details, "what_en": english, "what_id": indonesian}
    return _SENTENCES[code][which].format(**details)
