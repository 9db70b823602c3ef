"""Hosts of mailboxes that anybody can have: they say nothing about an employer."""

from __future__ import annotations

from functools import lru_cache

_FREE_MAIL = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com rocketmail.com aol.com aim.com
icloud.com me.com mac.com protonmail.com proton.me pm.me tutanota.com tuta.io gmx.com gmx.de gmx.net gmx.at gmx.ch
web.de freenet.de t-online.de arcor.de mail.com email.com mail.ru yandex.com yandex.ru bk.ru list.ru inbox.ru
rambler.ru ukr.net qq.com 163.com 126.com sina.com foxmail.com yeah.net naver.com daum.net hanmail.net nate.com
zoho.com zohomail.com zoho.eu zoho.in fastmail.com fastmail.fm hey.com hushmail.com mailbox.org posteo.de duck.com
rediffmail.com orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr libero.it virgilio.it tiscali.it alice.it
tin.it btinternet.com talktalk.net virginmedia.com sky.com blueyonder.co.uk ntlworld.com comcast.net verizon.net
att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com optonline.net roadrunner.com shaw.ca
rogers.com sympatico.ca telus.net bigpond.com optusnet.com.au uol.com.br bol.com.br terra.com.br ig.com.br seznam.cz
wp.pl o2.pl onet.pl interia.pl abv.bg centrum.cz telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl xs4all.nl
bluewin.ch hispeed.ch docomo.ne.jp ezweb.ne.jp au.com softbank.ne.jp i.softbank.jp biglobe.ne.jp nifty.com ocn.ne.jp
so-net.ne.jp plala.or.jp walla.co.il walla.com 012.net.il bezeqint.net netvision.net.il tutamail.com tuta.com
keemail.me runbox.com startmail.com mailfence.com disroot.org riseup.net simplelogin.com simplelogin.co aleeas.com
passmail.net passinbox.com passfwd.com mozmail.com privaterelay.appleid.com kabelmail.de vodafone.de vodafone.it
unitybox.de online.de netcologne.de ewetel.net hotmail.de a1.net aon.at chello.at drei.at chello.nl hetnet.nl home.nl
casema.nl upcmail.nl quicknet.nl proximus.be scarlet.be voo.be numericable.fr bbox.fr club-internet.fr aliceadsl.fr
inwind.it iol.it email.it fastwebnet.it pec.it tele2.se telia.com bredband.net comhem.se spray.se online.no getmail.no
mail.dk youmail.dk ofir.dk elisanet.fi kolumbus.fi saunalahti.fi luukku.com suomi24.fi eircom.net plus.net plusnet.com
tesco.net o2.co.uk windowslive.com passport.com prodigy.net.mx mail.bg dir.bg azet.sk zoznam.sk post.sk centrum.sk
volny.cz email.cz post.cz gazeta.pl op.pl poczta.fm tlen.pl vp.pl freemail.gr otenet.gr yahoo.gr mynet.com
superonline.com ttmail.com frontiernet.net windstream.net centurylink.net mediacombb.net suddenlink.net wowway.com
spectrum.net twc.com rr.com peoplepc.com netzero.net netzero.com ameritech.net pacbell.net swbell.net snet.net
nc.rr.com bell.net bellnet.ca videotron.ca cogeco.ca eastlink.ca nb.sympatico.ca mts.net sasktel.net iinet.net.au
internode.on.net tpg.com.au dodo.com.au westnet.com.au xtra.co.nz slingshot.co.nz mweb.co.za telkomsa.net
vodamail.co.za webmail.co.za indiatimes.com sify.com vsnl.com vsnl.net rediff.com singnet.com.sg pacific.net.sg
streamyx.com tm.net.my pchome.com.tw hinet.net seed.net.tw 139.com 189.cn wo.cn aliyun.com tom.com sohu.com
vip.163.com vip.qq.com vip.sina.com 21cn.com 263.net globo.com globomail.com r7.com prodigy.net arnet.com.ar
fibertel.com.ar speedy.com.ar vtr.net mail.ua i.ua meta.ua bigmir.net tut.by internet.ru mail.kz ya.ru consultant.com
engineer.com usa.com post.com europe.com dr.com lawyer.com accountant.com cheerful.com techie.com writeme.com
iname.com myself.com asia.com contractor.net doctor.com financier.com geologist.com graphic-designer.com
hairdresser.net insurer.com journalist.com musician.org optician.com politician.com programmer.net publicist.com
realtyagent.com secretary.net socialworker.net therapist.net worker.com workmail.com mail-me.com cyberdude.com
linuxmail.org teachers.org chemist.com columnist.com presidency.com deliveryman.com execs.com live.at live.be live.ca
live.cl live.cn live.co.uk live.co.za live.com.ar live.com.au live.com.mx live.com.my live.com.pt live.de live.dk
live.fi live.fr live.hk live.ie live.in live.it live.jp live.nl live.no live.ru live.se hushmail.me mac.hush.com
lavabit.com lycos.com lycos.co.uk lycos.de excite.com netscape.net gawab.com inbox.com inbox.lv mailbox.hu freemail.hu
citromail.hu indamail.hu t-online.hu upcmail.hu chello.hu net.hr inet.hr vip.hr zg.t-com.hr siol.net email.si t-2.net
ptt.rs eunet.rs open.telekom.rs yahoo.ro rdslink.ro clicknet.ro apollo.lv delfi.lt takas.lt hot.ee online.ee mail.ee
sapo.pt clix.pt netcabo.pt telepac.pt iol.pt telefonica.net ono.com ya.com terra.es movistar.es orange.es eresmas.com
jazzfree.com euskalnet.net bluemail.ch sunrise.ch gmx.li vtxmail.ch swissonline.ch adressbuch.ch kolabnow.com
protonmail.ch freeserve.co.uk talk21.com tiscali.co.uk lineone.net btopenworld.com btconnect.com supanet.com
onetel.com madasafish.com bigfoot.com ntlbusiness.com virgin.net orange.net fsmail.net optimum.net cableone.net
embarqmail.com q.com centurytel.net tds.net knology.net hughes.net maktoob.com emirates.net.ae eim.ae saudi.net.sa
batelco.com.bh omantel.net.om link.net tedata.net.eg hanafos.com korea.com lycos.co.kr freechal.com dreamwiz.com
netian.com bharatmail.in in.com yahoomail.com gmx.us ymail.co.uk fastmail.co.uk fastmail.net fastmail.org fastmail.us
sent.com mailup.net messagingengine.com pobox.com iki.fi cock.li airmail.cc ctemplar.com criptext.com skiff.com
"""

FREE_MAIL_DOMAINS = frozenset(_FREE_MAIL.split())
"""Registrable domains of private mailboxes."""

FREE_MAIL_BRANDS = frozenset({"yahoo", "hotmail", "outlook", "gmx", "yandex", "googlemail", "ymail", "aol"})
"""First labels of registrable domains that are private mailboxes under every suffix (yahoo.co.uk, gmx.at)."""


@lru_cache(maxsize=1)
def throw_away_domains() -> frozenset[str]:
    """Domains (and hosts below domains of others) of mailboxes that live for minutes (`disposable-email-domains`)."""
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
