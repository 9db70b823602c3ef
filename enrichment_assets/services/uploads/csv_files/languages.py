"""What the guess of an encoding knows of languages: their letters beyond ASCII, most frequent first, by code page.

Letter frequencies are those of ordinary text (Wikipedia, "Letter frequency"; Jun Da's list of Chinese characters for
the common ones), of names and firms where lists of leads differ. Only the order counts.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodePage:
    """A legacy encoding. `rarity`: how much evidence it must bring; `alphabets`: one per language, lower case."""

    name: str
    rarity: float
    alphabets: tuple[str, ...]


_WESTERN = (
    "üöäß", "éèàçêôîâùëïûœ", "óíáéñúü", "ãçáéóíêúâõôàü", "àèòùìé", "äöåé", "øåæéöä", "íáðóéæúöþý", "éëïèöü",
    "éüöäáóíñßçèãøåàúëêôæâïîõœûòšžìýùðþÿ",
)  # fmt: skip
"""German, French, Spanish, Portuguese, Italian, Swedish and Finnish, Danish and Norwegian, Icelandic, Dutch
and English; a mixed list."""

_CENTRAL = (
    "łąęóśżćńź", "íáéěčžýřšůúňóťď", "áíčéýžšúľťôóňäďĺŕ", "áéöóőíüúű", "ăîâşţ", "čšžćđ",
    "áéíóčšžłřýěöüęąúőăşţâîćżśńźůťňďľôäűđßëç",
)  # fmt: skip
"""Polish, Czech, Slovak, Hungarian, Romanian, Croatian and Slovene; a mixed list."""

_TURKISH = ("ıişüöçğiâîû", "ıüöşçğéäßáóíñèêà")
_BALTIC = ("ėšžųįąčūę", "āīēšūņžļģķč", "äõüöšž")
_CYRILLIC = (
    "оеаинтсрвлкмдпуяызьбгчйхжшюцщэфъё", "оаинветрслкдмпуябзгіьчйхїжцшюєщфґ'", "аиоентрвслкдпмзяъгубчйжхцщшюфь",
    "аоиентсрвулкмдпјзгбчшцњхжљћфђџ",
)  # fmt: skip
"""Russian, Ukrainian, Bulgarian, Serbian."""

_GREEK = ("αοιετσνυρηκπμλωςόάίγδέήθχφβύξώζψϊϋΐΰ",)
_HEBREW = ("יולהאמרתבשנעדכקחפםטגצזסןףץך",)
_ARABIC = ("الينمتورهبسعدكفقةشصجحخزغطئءذضثىأظؤپچگژکی",)
_THAI = ("านรอกเงมยลวดทสตะปบคหแจพชขใไโผซศถฟณธษญุูิี่้ั์ำึืๅ",)

CODE_PAGES = (
    CodePage("cp1252", 0.0, _WESTERN),
    CodePage("cp1251", 1.5, _CYRILLIC),
    CodePage("cp1250", 2.0, _CENTRAL),
    CodePage("cp1253", 2.0, _GREEK),
    CodePage("cp1254", 2.5, _TURKISH),
    CodePage("cp1255", 3.0, _HEBREW),
    CodePage("cp1256", 3.0, _ARABIC),
    CodePage("iso8859_15", 3.0, _WESTERN),
    CodePage("iso8859_2", 3.0, _CENTRAL),
    CodePage("iso8859_7", 3.5, _GREEK),
    CodePage("cp1257", 5.0, _BALTIC),
    CodePage("koi8_r", 3.5, _CYRILLIC),
    CodePage("mac_roman", 4.0, _WESTERN),
    CodePage("koi8_u", 4.5, _CYRILLIC),
    CodePage("cp874", 4.0, _THAI),
    CodePage("cp850", 5.0, _WESTERN),
    CodePage("cp866", 5.0, _CYRILLIC),
    CodePage("iso8859_5", 6.0, _CYRILLIC),
    CodePage("cp852", 6.0, _CENTRAL),
    CodePage("mac_latin2", 6.5, _CENTRAL),
    CodePage("mac_cyrillic", 7.0, _CYRILLIC),
)
"""Code pages of one byte a character. ISO-8859-1 and -9 need no place: cp1252 and cp1254 have the same letters."""


@dataclass(frozen=True, slots=True)
class EastAsian:
    """An encoding of two bytes a character: first bytes of its usual characters, and some very common ones."""

    name: str
    rarity: float
    usual: range
    common: frozenset[str]


_SIMPLIFIED = frozenset(
    "的一是不了在人有我他这中大来上国个到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小么心多天而能好都然"
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭"
    "公司有限科技股份集团技术信息网络贸易电子商务工程经理总监市场销售部门姓名职位邮箱电话地址城市省区路号北京上海广州深圳杭州南京成都武汉"
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建文玉红金春海龙建设机械医药化工投资管理咨询服务传媒文化教育"
)
_TRADITIONAL = frozenset(
    "的一是不了在人有我他這中大來上國個到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可裡後小麼心多天而能好都然"
    "王李張劉陳楊趙黃周吳徐孫胡朱高林何郭馬羅梁宋鄭謝韓唐馮于董蕭程曹袁鄧許傅沈曾彭呂蘇盧蔣蔡賈丁魏薛葉閻余潘杜戴夏鍾汪田任姜范方石姚譚"
    "公司有限科技股份集團技術資訊網路貿易電子商務工程經理總監市場銷售部門姓名職稱信箱電話地址城市省區路號台北高雄新竹台中台南香港臺灣"
    "偉芳娜敏靜麗強軍勇艷傑濤明超秀霞平剛桂英華建文玉紅金春海龍美淑惠雅婷怡君志豪家豪俊宏"
)
_JAPANESE = frozenset(
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力"
    "田山佐藤鈴木高橋伊渡辺中村小林加吉井松上原川野石島崎清水株式会社有限名氏電話住所都道府県区町番号営業取締役担当課長太郎花子"
)
_KOREAN = frozenset(
    "이다는의에을가고한하지사로기도자리정아인시서대어나수해부전일주장보스제과구여안게동그상소원신우조김박최강윤임오선유진영호민성준현"
    "은경희미숙철식회사름직위화번울산광천세종무업팀표메일개발판매영국내외관마케팅컨설"
)

EAST_ASIAN = (
    EastAsian("gb18030", 2.0, range(0xB0, 0xD8), _SIMPLIFIED),
    EastAsian("cp932", 2.0, range(0x88, 0x98), _JAPANESE),
    EastAsian("cp949", 2.0, range(0xB0, 0xC9), _KOREAN),
    EastAsian("big5", 3.0, range(0xA4, 0xC7), _TRADITIONAL),
    EastAsian("euc_jp", 3.5, range(0xB0, 0xD0), _JAPANESE),
)
"""`usual`: level 1 of GB 2312, JIS X 0208 and Big5, the hangul of KS X 1001."""
