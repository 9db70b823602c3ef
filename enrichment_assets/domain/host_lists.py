"""Hosts that say nothing about an employer: private mailboxes, and platforms where a page belongs to a member."""

from __future__ import annotations

_FREE_MAIL = """
gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com rocketmail.com aol.com aim.com
icloud.com me.com mac.com protonmail.com proton.me pm.me tutanota.com tuta.io gmx.com gmx.de gmx.net gmx.at gmx.ch
web.de freenet.de t-online.de arcor.de mail.com email.com mail.ru yandex.com yandex.ru bk.ru list.ru inbox.ru
rambler.ru ukr.net qq.com 163.com 126.com sina.com foxmail.com yeah.net naver.com daum.net hanmail.net nate.com
zoho.com fastmail.com fastmail.fm hey.com hushmail.com mailbox.org posteo.de duck.com rediffmail.com orange.fr
wanadoo.fr free.fr laposte.net sfr.fr neuf.fr libero.it virgilio.it tiscali.it alice.it tin.it btinternet.com
talktalk.net virginmedia.com sky.com blueyonder.co.uk ntlworld.com comcast.net verizon.net att.net sbcglobal.net
bellsouth.net cox.net charter.net earthlink.net juno.com optonline.net roadrunner.com shaw.ca rogers.com
sympatico.ca telus.net bigpond.com optusnet.com.au uol.com.br bol.com.br terra.com.br ig.com.br seznam.cz wp.pl
o2.pl onet.pl interia.pl abv.bg centrum.cz telenet.be skynet.be ziggo.nl kpnmail.nl planet.nl xs4all.nl bluewin.ch
hispeed.ch mailinator.com
"""

_SOCIAL = """
linkedin.com lnkd.in facebook.com fb.com fb.me twitter.com x.com t.co instagram.com youtube.com youtu.be tiktok.com
pinterest.com reddit.com medium.com substack.com threads.net bsky.app mastodon.social vk.com weibo.com xing.com
snapchat.com whatsapp.com wa.me t.me telegram.me telegram.org discord.com discord.gg linktr.ee crunchbase.com angel.co
wellfound.com glassdoor.com yelp.com goo.gl bit.ly tinyurl.com wikipedia.org eventbrite.com meetup.com calendly.com
vimeo.com behance.net dribbble.com business.site
"""

FREE_MAIL_DOMAINS = frozenset(_FREE_MAIL.split())
"""Registrable domains of private mailboxes."""

FREE_MAIL_BRANDS = frozenset({"yahoo", "hotmail", "outlook", "live", "gmx", "yandex", "googlemail", "ymail", "aol"})
"""First labels of registrable domains that are private mailboxes under every suffix (yahoo.co.uk, gmx.at)."""

SOCIAL_DOMAINS = frozenset(_SOCIAL.split())
"""Registrable domains of platforms."""

MEMBER_HOSTS = frozenset(
    {"sites.google.com", "maps.google.com", "docs.google.com", "plus.google.com", "apps.apple.com"}
)
"""Hosts of members on domains that are otherwise a company's own."""
