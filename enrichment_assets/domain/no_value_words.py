"""The words behind `domain.no_value`: what people, programs and spreadsheets write where they have nothing.

All are folded as `no_value.fold` does: lower case, without accents, brackets and a full stop at the end. Add a word
where it is no value; a word that is also somebody's name or a town belongs into the lists of exceptions there.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(" ".join(word.split()) for word in text.split("|"))


ABBREVIATIONS = _words(
    r"""n/a | n\a | n.a | n-a | n.a.n | #n/a | #n.a | #n/v | k.a | k/a | s/o | s.o | n/d | n.d | n/c | n.c | n/k | n/r |
n.r | n/s | n.v | n.v.t | n.n.b | n.b | n/b | s/d | s/i | s/n | b/d | b.d | b/o | n/i | n/o | o.a | o/a | h/d |
н/д | н.д | н/п | t.b.d | t.b.a | t.b.c | i/a | e/t | e.t | y/d"""
)
"""Abbreviations of "not available", "keine Angabe", "sans objet", "sin datos" and the like, without blanks."""

MACHINE = _words(
    r"""null | undefined | nan | nat | none | \n | \\n | nil | [object object] | object object | #ref! | #value! |
#name? | #div/0! | #num! | #null! | #error! | #spill! | #calc! | #field! | #getting_data | #nv | #bezug! |
#wert! | #zahl! | #valeur! | #nom? | #nombre! | #¡valor! | #¿nombre? | #¡ref! | #valor! | #nome? | #rif! | #n/d
| #verw! | #waarde! | #error | error! | err! | system.object | nonetype"""
)
"""What programs write: of Python, JavaScript, R and pandas, SQL, and spreadsheets in six languages."""

GENERIC = _words(
    """no data | no data found | no data available | data not found | data not available | no result | no results | no
results found | no result found | not found | none found | nothing found | no match | no match found | no
matches | no value | no information | no information found | no information available | information not
available | info not available | no info | not available | not applicable | no response | no record found | no
records found | run condition not met | missing input | missing inputs | no input | unavailable data | no output"""
)
"""Whole answers that say that there is none."""

_ENGLISH = """
unknown | not known | not provided | not specified | not disclosed | not given | not set | not listed | not stated |
not entered | not assigned | not defined | unspecified | undisclosed | unassigned | unavailable | tbd | tba | tbc |
to be determined | to be announced | to be confirmed | to be defined | to be done | missing | blank | empty |
nothing | no name | noname | no company | no title | no email | no e-mail | no phone | no number | no website | no
web site | no domain | no linkedin | no linkedin profile | no address | does not have | doesn't have | do not have |
does not exist | dont know | don't know | dunno | unsure | not sure | no idea | idk | ask | pending | loading |
loading... | error | failed | test | tests | testing | sample | fake | void | vacant | removed | deleted | redacted
| hidden | private | confidential | withheld | na | n a | nka | nada | zilch
"""
_GERMAN = """
keine angabe | keine angaben | ohne angabe | keine | keiner | kein | unbekannt | nicht bekannt | nicht verfugbar |
nicht vorhanden | nicht angegeben | nicht zutreffend | entfallt | leer | fehlt | folgt | wird nachgereicht | keine
daten | keine e-mail | keine email | keine telefonnummer | keine website | noch offen
"""
_FRENCH = """
sans objet | non disponible | non renseigne | non renseignee | non communique | non communiquee | non connu |
inconnu | inconnue | aucun | aucune | neant | indisponible | a definir | a completer | non applicable | vide | pas
de donnees | aucune donnee | non defini | pas disponible | a renseigner | sans
"""
_SPANISH = """
sin datos | sin dato | sin informacion | sin info | no disponible | desconocido | desconocida | ninguno | ninguna |
no aplica | no especificado | no especificada | sin especificar | no informado | no informada | por definir | nulo |
vacio | en blanco | pendiente | no tiene | no hay | sin correo | sin email | sin telefono | sin asignar | no sabe
"""
_ITALIAN = """
non disponibile | sconosciuto | sconosciuta | nessuno | nessuna | non specificato | non specificata | da definire |
nessun dato | vuoto | non pervenuto | non indicato | non applicabile | nessuna informazione
"""
_PORTUGUESE = """
nao disponivel | desconhecido | desconhecida | nao informado | nao informada | nenhum | nenhuma | sem dados | sem
informacao | nao se aplica | a definir | vazio | nao especificado | nao consta | nao tem | sem email | sem telefone
| indisponivel
"""
_DUTCH = """
onbekend | niet beschikbaar | nvt | geen | niet bekend | niet van toepassing | nnb | leeg | niet opgegeven | geen
gegevens | niet ingevuld | nog onbekend | niet gevonden
"""
_NORDIC = """
okand | saknas | ej tillganglig | ej angivet | ej tillampligt | uppgift saknas | ikke tilgjengelig | ikke
tilgængelig | ukendt | ukjent | mangler | ingen | ikke oppgitt | ikke oplyst | ikke relevant | tuntematon | ei
saatavilla | ei tiedossa | ei ole | puuttuu
"""
_SLAVIC = """
brak | brak danych | nieznany | nieznana | nie dotyczy | nie podano | neznamy | neznamo | neni k dispozici |
neuvedeno | nezadano | нет | нет данных | неизвестно | не указано | не указан | отсутствует | пусто | не применимо |
невідомо | немає даних | немає | nema | nepoznato | nincs | ismeretlen | nincs adat | necunoscut | fara |
nespecificat
"""
_OTHER = """
yok | bilinmiyor | belirtilmemis | belirtilmemıs | mevcut
degil | bos | αγνωστο | δεν υπαρχει | אין | לא ידוע | غير
متوفر | غير معروف | لا يوجد | 无 | 無 | 未知 | 暂无 | 不详 | 未提供 |
没有 | 空 | 不适用 | 暂无数据 | なし | 無し | 不明 | 該当なし | 未定 | 未記入 | 未設定 |
未入力 | 없음 | 미정 | 알 수 없음 | 해당 없음 | tidak ada | tidak diketahui
| khong co
"""

UNKNOWN_WORDS = frozenset().union(
    *map(_words, (_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _ITALIAN, _PORTUGUESE, _DUTCH, _NORDIC, _SLAVIC, _OTHER))
)
"""No value of a name, an address, a number, a title; an answer of a free field may well be one of them."""

NOBODY = _words(
    """linkedin member | linkedin user | linkedin-mitglied | linkedin mitglied | membre linkedin | membre de linkedin |
utilisateur linkedin | miembro de linkedin | usuario de linkedin | membro do linkedin | usuario do linkedin |
utente linkedin | membro di linkedin | linkedin-lid | linkedin lid | linkedin-medlem | linkedin uyesi | first
name | last name | firstname | lastname | given name | surname | full name | vorname | nachname | prenom | nom |
nombre | apellido | nome | cognome | sobrenome | voornaam | achternaam | your name | test user | test test |
anonymous | anonymous user | deleted user | facebook user | instagram user | guest user"""
)
"""Members who hide their name, and headers that came as cells."""

EMPLOYED_BY_NOBODY = _words(
    """self-employed | self employed | selfemployed | self-employment | self employment |
self employeed | self-employeed | freelance | free-lance | freelancing | freelance
consultant | freelance developer | privat | privatperson | privatier | private person |
private individual | privatkunde |
particulier | particular | privato | osoba prywatna | yksityinen | freelance designer | freelance writer | freelance
work | freelancer | company confidential | stealth |
freelancer (self-employed) | self-employed consultant | self-employed /
freelance | freelance/self-employed | freelance / self-employed |
self-employed/freelance | independent consultant | independent contractor |
independent consulting | independent professional | independent freelancer | sole
trader | sole proprietor | sole proprietorship | own business | my own business | my
own company | self owned | self-owned | unemployed | not employed | not currently
employed | currently unemployed | between jobs | between roles | job seeker | looking
for opportunities | looking for new opportunities | seeking opportunities | seeking
new opportunities | actively looking | open to work | open to opportunities | open to
new opportunities | looking for a job | looking for work | in transition | career
break | career transition | sabbatical | on sabbatical | gap year | retired |
semi-retired | semi retired | homemaker | stay at home mom | stay at home parent |
stay-at-home parent | parental leave | maternity leave | stealth mode | stealth
startup | stealth start-up | stealth mode startup | stealth mode start-up | stealth
company | stealth mode company | stealth ai startup | stealth ai company | stealth
venture | stealth fintech startup | startup in stealth | startup in stealth mode |
stealth saas startup | stealth mode ai startup | stealth (startup) | startup (stealth) | in stealth |
confidential company | undisclosed company | confidential employer | private company
| various companies | various clients | various employers | multiple companies |
several companies | company name | your company | my company | the company | no
company name | selbstandig | selbststandig | selbstandige | selbststandige |
selbstandiger | selbststandiger | selbstandigkeit | selbststandigkeit | freiberuflich
| freiberufler | freiberuflerin | freischaffend | freie mitarbeit | arbeitssuchend |
arbeitslos | im ruhestand | rentner | elternzeit | firmenname | independant |
independante | travailleur independant | travailleuse independante |
auto-entrepreneur | auto entrepreneur | autoentrepreneur | auto-entrepreneuse |
micro-entrepreneur | micro entrepreneur | micro-entreprise | a mon compte | a son
compte | profession liberale | en recherche d'emploi | retraite | sans emploi |
autonomo | autonoma | por cuenta propia | cuenta propia | trabajador autonomo |
trabajadora autonoma | independiente | trabajador independiente | profesional
independiente | consultor independiente | desempleado | jubilado | jubilada | libero
professionista | libera professionista | lavoratore autonomo | lavoratrice autonoma |
partita iva | in pensione | disoccupato | profissional autonomo | profissional
liberal | trabalhador independente | autonomo(a) | por conta propria | conta propria
| aposentado | desempregado | microempreendedor individual | zzp | zzp'er | zzper |
zelfstandig | zelfstandige | zelfstandig ondernemer | eigen bedrijf | werkzoekend |
gepensioneerd | egenforetagare | egen foretagare | selvstændig | selvstendig |
selvstendig næringsdrivende | yrittaja | frilans | freelans | wlasna dzialalnosc |
wlasna dzialalnosc gospodarcza | samozatrudnienie | osvc | serbest | serbest meslek |
serbest calisan | emekli | фриланс | фрилансер | самозанятый | самозанятая | ип |
индивидуальный предприниматель | 自由职业 | 自由职业者 | 个体户 | 待业 | フリーランス | 自営業 | 個人事業主 |
프리랜서 | 자영업"""
)
"""What people write as their employer who have none, or will not say which."""

STUB_COMPANIES = _words(
    """self | freelancer | freelancers | independent | stealth | confidential | private | home | student | consultant |
contractor | personal | individual | myself | me | retired | various | multiple | startup | start-up |
entrepreneur | other"""
)
"""The same, but some company is called so (Freelancer.com, The Independent): one that the row names by its host too."""
