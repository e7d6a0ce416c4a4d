"""Inputs that were a fault once: every campaign begins with them, after the corpus."""

from __future__ import annotations

#: Target -> inputs.
FOUND: dict[str, tuple[bytes, ...]] = {
    # a sample that names its device twice, first with what is no id
    "wire": (
        b"\x02\x86\xa4type\xa6sample\xa6device\xa2A!\xa6device\xa3car"
        b"\xa4path\xa1x\xa4time\x01\xa5value\x02",
    ),
    # deeper than JSON is read
    "replay-owntracks": (
        b'2024-05-01T10:00:05Z\t*\t{"_type":"location","lat":' + b"[" * 3000 + b"\n",
    ),
    # a version of PKCS #10 that there is not
    "request": (
        bytes.fromhex(
            "308201263081ce02010b302f310d300b060355040a0c046f757273310e300c060355040b"
            "0c05"
            "70686f6e65310e300c06035504030c0570686f6e653059301306072a8648ce3d02010608"
            "2a86"
            "48ce3d03010703420004e1ee3043e971422af2f9a69eb55a16546dde111bd5844246d2ca"
            "722a"
            "565d3e65fcc77bc14e7d2965fac2c0525dea48343cd7b0664aa0f8ed443ad8d5ab1deb06"
            "a03d"
            "303b06092a864886f70d01090e312e302c302a0603551d11042330218207612e6c6f6361"
            "6c87"
            "04c0a801148710fe800000000000000000000000000001300a06082a8648ce3d04030203"
            "4700"
            "304402206a2b426ead32a932799351cef84c2b0082adb2471b58ad88b6b34bed36698d11"
            "0220"
            "0cdf938fcdcd03ca0969aa7f6ad0f4bc74a77face342a3c908c4292aaefa2645"
        ),
    ),
    # an extension in which nothing can be read
    "certificate-signed": (
        bytes.fromhex(
            "3082011fa003020102020108300a06082a8648ce3d0403023023310d300b060355040a0c"
            "046f"
            "7572733112301006035504030c09686f757365686f6c64301e170d323630343330313230"
            "3030"
            "305a170d3236303531353132303030305a302b310d300b060355040a0c046f757273310c"
            "300a"
            "060355040b0c03636172310c300a06035504030c036361723059301306072a8648ce3d02"
            "0106"
            "082a8648ce3d03010703420004e1ee3043e971422af2f9a69eb55a16546dde111bd58442"
            "46d2"
            "ca722a565d3e65fcc77bc14e7d2965fac2c0525dea48343cd7b0664aa0f8ed443ad8d5ab"
            "1deb"
            "06a33c303a300c0603551d130101ff04023000300e0603551d0f0101ff04040301078030"
            "1a06"
            "03551d110413301182096c6f63616c686f73748704c0a80114"
        ),
    ),
    # a key that is not on its curve
    "authority-signed": (
        bytes.fromhex(
            "30820120a003020102020107300a06082a8648ce3d0403023023310d300b060355040a0c"
            "046f"
            "7572733112301006035504030c09686f757365686f6c64301e170d323630343330313230"
            "3030"
            "305a170d3435303333303132303030305a3023310d300b060355040a0c046f7572733112"
            "3010"
            "06035504030c09686f757365686f6c643059301306072a8648ce3d020106082a8648ce3d"
            "0301"
            "0703420004c27daba02b93e821c4c47b4d0f906254d166f402f4988b44026d52b5c3dffc"
            "6d42"
            "e816e512ea4af558941d61193b58d67d5c7a7869e76afcde948d873fa8e4a8a345304330"
            "1206"
            "03551d130101ff040830060101ff020100300e0603551d0f0101ff040403020106301d06"
            "0355"
            "1d0e041604142dad200bb72e2fa6020fe6c17f0ee4b1bde9c1ff"
        ),
    ),
}
