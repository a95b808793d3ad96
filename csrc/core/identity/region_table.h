/* Written by csrc/tables/regions.mjs; do not edit. Names are those of the npm package i18n-iso-countries, Copyright (c) 2016 widdix GmbH, under the MIT
 * licence (its text is that of LICENSE), and further ones. */
#ifndef SC3_REGION_TABLE_H
#define SC3_REGION_TABLE_H

#include <stdint.h>

/* Alpha-2 codes, each with a name of it behind in lowercase letters and digits alone, in the order of the names; not all have phones of their own. */
#ifdef __GNUC__ /* C11 asks compilers for no more than 4095 bytes in a string; all that are used here take more */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#endif
static const char SC3_REGION_NAMES[] =
  "AWabw\0" "ACac\0" "ADad\0" "AEae\0" "AFaf\0" "AFafg\0" "AFafghanistan\0" "AGag\0" "AOago\0" "AIai\0"
  "AIaia\0" "ALal\0" "AXala\0" "AXaland\0" "AXalandislands\0" "ALalb\0" "ALalbania\0" "DZalgeria\0" "AMam\0"
  "USamerica\0" "ASamericansamoa\0" "ADand\0" "ADandorra\0" "AOangola\0" "AIanguilla\0" "AQantarctica\0"
  "AGantiguaandbarbuda\0" "AOao\0" "AQaq\0" "ARar\0" "EGarabrepublicofegypt\0" "AEare\0" "ARarg\0"
  "ARargentina\0" "ARargentinerepublic\0" "AMarm\0" "AMarmenia\0" "AWaruba\0" "ASas\0" "ACascensionisland\0"
  "ASasm\0" "ATat\0" "AQata\0" "TFatf\0" "AGatg\0" "AUau\0" "AUaus\0" "AUaustralia\0" "ATaustria\0"
  "ATaut\0" "AWaw\0" "AXax\0" "AZaz\0" "AZaze\0" "AZazerbaijan\0" "BAba\0" "BSbahamas\0" "BHbahrain\0"
  "BDbangladesh\0" "BBbarbados\0" "BBbb\0" "BDbd\0" "BIbdi\0" "BEbe\0" "BEbel\0" "BYbelarus\0" "BEbelgium\0"
  "BZbelize\0" "BJben\0" "BJbenin\0" "BMbermuda\0" "BQbes\0" "BFbf\0" "BFbfa\0" "BGbg\0" "BDbgd\0" "BGbgr\0"
  "BHbh\0" "BHbhr\0" "BSbhs\0" "BTbhutan\0" "BIbi\0" "BAbih\0" "BJbj\0" "BLbl\0" "BLblm\0" "BYblr\0"
  "BZblz\0" "BMbm\0" "BMbmu\0" "BNbn\0" "BObo\0" "BObol\0" "VEbolivarianrepublicofvenezuela\0" "BObolivia\0"
  "BOboliviaplurinationalstateof\0" "BQbonaire\0" "BQbonairesinteustatiusandsaba\0" "BAbosnia\0"
  "BAbosniaandherzegovina\0" "BWbotswana\0" "BVbouvetisland\0" "BQbq\0" "BRbr\0" "BRbra\0" "BRbrazil\0"
  "BBbrb\0" "GBbritain\0" "IObritishindianoceanterritory\0" "VGbritishvirginislands\0" "BNbrn\0"
  "BNbrunei\0" "BNbruneidarussalam\0" "BSbs\0" "BTbt\0" "BTbtn\0" "BGbulgaria\0" "BFburkinafaso\0"
  "MMburma\0" "BIburundi\0" "BVbv\0" "BVbvt\0" "BWbw\0" "BWbwa\0" "BYby\0" "BZbz\0" "CAca\0" "CVcaboverde\0"
  "CFcaf\0" "KHcambodia\0" "CMcameroon\0" "CAcan\0" "CAcanada\0" "CVcapeverde\0" "BQcaribbeannetherlands\0"
  "KYcaymanislands\0" "CCcc\0" "CCcck\0" "CDcd\0" "CFcentralafricanrep\0" "CFcentralafricanrepublic\0"
  "CFcf\0" "CGcg\0" "CHch\0" "TDchad\0" "CHche\0" "CLchile\0" "CNchina\0" "CNchinamainland\0" "CLchl\0"
  "CNchn\0" "CXchristmasisland\0" "CIci\0" "CIciv\0" "CKck\0" "CLcl\0" "CMcm\0" "CMcmr\0" "CNcn\0" "COco\0"
  "CCcocosislands\0" "CCcocoskeelingislands\0" "CDcod\0" "CGcog\0" "CKcok\0" "COcol\0" "COcolombia\0"
  "KMcom\0" "AUcommonwealthofaustralia\0" "DMcommonwealthofdominica\0" "BScommonwealthofthebahamas\0"
  "MPcommonwealthofthenorthernmarianaislands\0" "KMcomoros\0" "CGcongo\0" "CGcongobrazzaville\0"
  "CDcongodemrep\0" "CDcongodrc\0" "CDcongokinshasa\0" "CGcongorep\0" "CDcongothedemocraticrepublicof\0"
  "CKcookislands\0" "GYcooperativerepublicofguyana\0" "CRcostarica\0" "CIcotedivoire\0" "CVcpv\0" "CRcr\0"
  "CRcri\0" "HRcroatia\0" "CUcu\0" "CUcub\0" "CUcuba\0" "CWcuracao\0" "CWcuw\0" "CVcv\0" "CWcw\0" "CXcx\0"
  "CXcxr\0" "CYcy\0" "KYcym\0" "CYcyp\0" "CYcyprus\0" "CZcz\0" "CZcze\0" "CZczechia\0" "CZczechrep\0"
  "CZczechrepublic\0" "DEde\0" "KPdemocraticpeoplesrepublicofkorea\0"
  "STdemocraticrepublicofsaotomeandprincipe\0" "CDdemocraticrepublicofthecongo\0"
  "TLdemocraticrepublicoftimorleste\0" "LKdemocraticsocialistrepublicofsrilanka\0" "DKdenmark\0" "DEdeu\0"
  "DJdj\0" "DJdji\0" "DJdjibouti\0" "DKdk\0" "DMdm\0" "DMdma\0" "DKdnk\0" "DOdo\0" "DOdom\0" "DMdominica\0"
  "DOdominicanrep\0" "DOdominicanrepublic\0" "KPdprk\0" "CDdrc\0" "CDdrcongo\0" "DZdz\0" "DZdza\0"
  "UYeasternrepublicofuruguay\0" "TLeasttimor\0" "ECec\0" "ECecu\0" "ECecuador\0" "EEee\0" "EGeg\0"
  "EGegy\0" "EGegypt\0" "EGegyptarabrep\0" "EHeh\0" "GRel\0" "SVelsalvador\0" "AEemirates\0" "GBengland\0"
  "GQequatorialguinea\0" "ERer\0" "EReri\0" "EReritrea\0" "ESes\0" "EHesh\0" "ESesp\0" "EEest\0"
  "EEestonia\0" "SZeswatini\0" "ETet\0" "ETeth\0" "ETethiopia\0" "FKfalklandislands\0"
  "FKfalklandislandsmalvinas\0" "FKfalklandislandsthemalvinas\0" "FOfaroeislands\0"
  "ETfederaldemocraticrepublicofethiopia\0" "NPfederaldemocraticrepublicofnepal\0"
  "DEfederalrepublicofgermany\0" "NGfederalrepublicofnigeria\0" "SOfederalrepublicofsomalia\0"
  "FMfederatedstatesofmicronesia\0" "BRfederativerepublicofbrazil\0" "FIfi\0" "FJfiji\0" "FIfin\0"
  "FIfinland\0" "FJfj\0" "FJfji\0" "FKfk\0" "FKflk\0" "FMfm\0" "FOfo\0" "FRfr\0" "FRfra\0" "FRfrance\0"
  "GFfrenchguiana\0" "PFfrenchpolynesia\0" "FRfrenchrepublic\0" "TFfrenchsouthernterritories\0" "FOfro\0"
  "FMfsm\0" "MKfyrom\0" "GAga\0" "GAgab\0" "GAgabon\0" "GAgaboneserepublic\0" "GMgambia\0" "GBgb\0"
  "GBgbr\0" "GDgd\0" "GEge\0" "GEgeo\0" "GEgeorgia\0" "DEgermany\0" "GFgf\0" "GGgg\0" "GGggy\0" "GHgh\0"
  "GHgha\0" "GHghana\0" "GIgi\0" "GIgib\0" "GIgibraltar\0" "GNgin\0" "GLgl\0" "GPglp\0" "GMgm\0" "GMgmb\0"
  "GNgn\0" "GWgnb\0" "GQgnq\0" "GPgp\0" "GQgq\0" "GRgr\0" "LUgrandduchyofluxembourg\0" "GRgrc\0" "GDgrd\0"
  "GBgreatbritain\0" "GRgreece\0" "GLgreenland\0" "GDgrenada\0" "GLgrl\0" "GSgs\0" "GTgt\0" "GTgtm\0"
  "GUgu\0" "GPguadeloupe\0" "GUguam\0" "GTguatemala\0" "GGguernsey\0" "GFguf\0" "GNguinea\0"
  "GWguineabissau\0" "GUgum\0" "GYguy\0" "GYguyana\0" "GWgw\0" "GYgy\0" "HThaiti\0"
  "JOhashemitekingdomofjordan\0" "HMheardandmcdonaldislands\0" "HMheardislandandmcdonaldislands\0"
  "GRhellas\0" "GRhellenicrepublic\0" "HKhk\0" "HKhkg\0" "HMhm\0" "HMhmd\0" "HNhn\0" "HNhnd\0" "NLholland\0"
  "VAholysee\0" "VAholyseevaticancitystate\0" "HNhonduras\0" "HKhongkong\0" "HKhongkongchina\0"
  "HKhongkongsar\0" "HKhongkongsarchina\0" "HKhongkongspecialadministrativeregionofchina\0" "HRhr\0"
  "HRhrv\0" "HTht\0" "HThti\0" "HUhu\0" "HUhun\0" "HUhungary\0" "ISiceland\0" "IDid\0" "IDidn\0" "IEie\0"
  "ILil\0" "IMim\0" "IMimn\0" "INin\0" "INind\0" "PGindependentstateofpapuanewguinea\0"
  "WSindependentstateofsamoa\0" "INindia\0" "IDindonesia\0" "IOio\0" "IOiot\0" "IQiq\0" "IRir\0" "IRiran\0"
  "IRiranislamicrep\0" "IRiranislamicrepublicof\0" "IQiraq\0" "IEireland\0" "IEirelandrepublicof\0"
  "IEirl\0" "IRirn\0" "IQirq\0" "ISis\0" "ISisl\0" "AFislamicrepublicofafghanistan\0"
  "IRislamicrepublicofiran\0" "IRislamicrepublicofislamicrepublicofiran\0" "MRislamicrepublicofmauritania\0"
  "PKislamicrepublicofpakistan\0" "IMisleofman\0" "ILisr\0" "ILisrael\0" "ITit\0" "ITita\0"
  "ITitalianrepublic\0" "ITitaly\0" "CIivorycoast\0" "JMjam\0" "JMjamaica\0" "JPjapan\0" "JEje\0"
  "JEjersey\0" "JEjey\0" "JMjm\0" "JOjo\0" "JOjor\0" "JOjordan\0" "JPjp\0" "JPjpn\0" "KZkaz\0"
  "KZkazakhstan\0" "KEke\0" "CCkeelingislands\0" "KEken\0" "KEkenya\0" "KGkg\0" "KGkgz\0" "KHkh\0" "KHkhm\0"
  "KIki\0" "BHkingdomofbahrain\0" "BEkingdomofbelgium\0" "BTkingdomofbhutan\0" "KHkingdomofcambodia\0"
  "DKkingdomofdenmark\0" "SZkingdomofeswatini\0" "LSkingdomoflesotho\0" "MAkingdomofmorocco\0"
  "NOkingdomofnorway\0" "SAkingdomofsaudiarabia\0" "ESkingdomofspain\0" "SEkingdomofsweden\0"
  "THkingdomofthailand\0" "NLkingdomofthenetherlands\0" "NLkingdomofthenetherlandskingdomof\0"
  "TOkingdomoftonga\0" "KIkir\0" "KIkiribati\0" "KMkm\0" "KNkn\0" "KNkna\0" "KRkor\0" "KRkorea\0"
  "KPkoreademocraticpeoplesrepublicof\0" "KPkoreadempeoplesrep\0" "KPkoreanorth\0" "KRkorearep\0"
  "KRkorearepublicof\0" "KRkoreasouth\0" "KPkoreathedemocraticpeoplesrepublicof\0" "KRkoreatherepublicof\0"
  "XKkosovo\0" "KPkp\0" "KRkr\0" "KWkuwait\0" "KWkw\0" "KWkwt\0" "KYky\0" "KGkyrgyzrepublic\0"
  "KGkyrgyzstan\0" "KZkz\0" "LAla\0" "LAlao\0" "LAlaopdr\0" "LAlaopeoplesdemocraticrepublic\0" "LAlaos\0"
  "RElareunion\0" "LVlatvia\0" "LBlb\0" "LBlbn\0" "LRlbr\0" "LYlby\0" "LClc\0" "LClca\0"
  "LBlebaneserepublic\0" "LBlebanon\0" "LSlesotho\0" "LIli\0" "LRliberia\0" "LYlibya\0"
  "LYlibyanarabjamahiriya\0" "LIlie\0" "LIliechtenstein\0" "LTlithuania\0" "LKlk\0" "LKlka\0" "LRlr\0"
  "LSls\0" "LSlso\0" "LTlt\0" "LTltu\0" "LUlu\0" "LUlux\0" "LUluxembourg\0" "LVlv\0" "LVlva\0" "LYly\0"
  "MAma\0" "MOmac\0" "MOmacao\0" "MOmacaochina\0" "MOmacaosar\0" "MOmacaosarchina\0"
  "MOmacaospecialadministrativeregionofchina\0" "MOmacau\0" "MOmacausar\0" "MKmacedonia\0"
  "MKmacedoniatheformeryugoslavrepublicof\0" "MGmadagascar\0" "MFmaf\0" "CNmainlandchina\0" "MWmalawi\0"
  "MYmalaysia\0" "MVmaldives\0" "MLmali\0" "MTmalta\0" "FKmalvinas\0" "MAmar\0" "MHmarshallislands\0"
  "MQmartinique\0" "MRmauritania\0" "MUmauritius\0" "YTmayotte\0" "MCmc\0" "MCmco\0" "MDmd\0" "MDmda\0"
  "MGmdg\0" "MVmdv\0" "MEme\0" "MXmex\0" "MXmexico\0" "MFmf\0" "MGmg\0" "MHmh\0" "MHmhl\0" "FMmicronesia\0"
  "FMmicronesiafederatedstatesof\0" "FMmicronesiafedsts\0" "MKmk\0" "MKmkd\0" "MLml\0" "MLmli\0" "MTmlt\0"
  "MMmm\0" "MMmmr\0" "MNmn\0" "MEmne\0" "MNmng\0" "MPmnp\0" "MOmo\0" "MDmoldova\0" "MDmoldovarepublicof\0"
  "MDmoldovatherepublicof\0" "MCmonaco\0" "MNmongolia\0" "MEmontenegro\0" "MSmontserrat\0" "MAmorocco\0"
  "MZmoz\0" "MZmozambique\0" "MPmp\0" "MQmq\0" "MRmr\0" "MRmrt\0" "MSms\0" "MSmsr\0" "MTmt\0" "MQmtq\0"
  "MUmu\0" "MUmus\0" "MVmv\0" "MWmw\0" "MWmwi\0" "MXmx\0" "MYmy\0" "MMmyanmar\0" "MMmyanmarburma\0"
  "MYmys\0" "YTmyt\0" "MZmz\0" "NAna\0" "NAnam\0" "NAnamibia\0" "BNnationofbrunei\0" "NRnauru\0" "NCnc\0"
  "NCncl\0" "NEne\0" "NPnepal\0" "NEner\0" "NLnetherlands\0" "NLnetherlandskingdomof\0" "NCnewcaledonia\0"
  "NZnewzealand\0" "NFnf\0" "NFnfk\0" "NGng\0" "NGnga\0" "NIni\0" "NInic\0" "NInicaragua\0" "NEniger\0"
  "NGnigeria\0" "NUniu\0" "NUniue\0" "NLnl\0" "NLnld\0" "NOno\0" "NOnor\0" "NFnorfolkisland\0"
  "GBnorthernireland\0" "MPnorthernmarianaislands\0" "KPnorthkorea\0" "MKnorthmacedonia\0" "NOnorway\0"
  "NPnp\0" "NPnpl\0" "NRnr\0" "NRnru\0" "NUnu\0" "NZnz\0" "NZnzl\0" "OMom\0" "OMoman\0" "OMomn\0" "PApa\0"
  "PKpak\0" "PKpakistan\0" "PWpalau\0" "PSpalestine\0" "PSpalestinestateof\0" "PSpalestinianterritories\0"
  "PSpalestinianterritory\0" "PSpalestinianterritoryoccupied\0" "PApan\0" "PApanama\0" "PGpapuanewguinea\0"
  "PYparaguay\0" "PNpcn\0" "PEpe\0" "DZpeoplesdemocraticrepublicofalgeria\0"
  "BDpeoplesrepublicofbangladesh\0" "CNpeoplesrepublicofchina\0"
  "CNpeoplesrepublicofpeoplesrepublicofchina\0" "PEper\0" "PEperu\0" "PFpf\0" "PGpg\0" "PHph\0"
  "PHphilippines\0" "PHphl\0" "PNpitcairn\0" "PNpitcairnislands\0" "PKpk\0" "PLpl\0"
  "BOplurinationalstateofbolivia\0" "PWplw\0" "PMpm\0" "PNpn\0" "PGpng\0" "PLpol\0" "PLpoland\0"
  "PTportugal\0" "PTportugueserepublic\0" "PRpr\0" "CNprchina\0" "PRpri\0" "ADprincipalityofandorra\0"
  "LIprincipalityofliechtenstein\0" "MCprincipalityofmonaco\0" "KPprk\0" "TWprovinceofchinataiwan\0"
  "PTprt\0" "PYpry\0" "PSps\0" "PSpse\0" "PTpt\0" "PRpuertorico\0" "PWpw\0" "PYpy\0" "PFpyf\0" "QAqa\0"
  "QAqat\0" "QAqatar\0" "REre\0" "ALrepublicofalbania\0" "AOrepublicofangola\0" "AMrepublicofarmenia\0"
  "ATrepublicofaustria\0" "AZrepublicofazerbaijan\0" "BYrepublicofbelarus\0" "BJrepublicofbenin\0"
  "BArepublicofbosniaandherzegovina\0" "BWrepublicofbotswana\0" "BGrepublicofbulgaria\0"
  "BIrepublicofburundi\0" "CVrepublicofcaboverde\0" "CMrepublicofcameroon\0" "CVrepublicofcapeverde\0"
  "TDrepublicofchad\0" "CLrepublicofchile\0" "COrepublicofcolombia\0" "CRrepublicofcostarica\0"
  "CIrepublicofcotedivoire\0" "HRrepublicofcroatia\0" "CUrepublicofcuba\0" "CYrepublicofcyprus\0"
  "DJrepublicofdjibouti\0" "ECrepublicofecuador\0" "SVrepublicofelsalvador\0"
  "GQrepublicofequatorialguinea\0" "EErepublicofestonia\0" "FJrepublicoffiji\0" "FIrepublicoffinland\0"
  "GHrepublicofghana\0" "GTrepublicofguatemala\0" "GNrepublicofguinea\0" "GWrepublicofguineabissau\0"
  "GYrepublicofguyana\0" "HTrepublicofhaiti\0" "HNrepublicofhonduras\0" "ISrepublicoficeland\0"
  "INrepublicofindia\0" "IDrepublicofindonesia\0" "IQrepublicofiraq\0" "IErepublicofireland\0"
  "CIrepublicofivorycoast\0" "KZrepublicofkazakhstan\0" "KErepublicofkenya\0" "KIrepublicofkiribati\0"
  "KRrepublicofkorea\0" "LVrepublicoflatvia\0" "LRrepublicofliberia\0" "LTrepublicoflithuania\0"
  "MGrepublicofmadagascar\0" "MWrepublicofmalawi\0" "MVrepublicofmaldives\0" "MLrepublicofmali\0"
  "MTrepublicofmalta\0" "MUrepublicofmauritius\0" "MDrepublicofmoldova\0" "MZrepublicofmozambique\0"
  "MMrepublicofmyanmar\0" "NArepublicofnamibia\0" "NRrepublicofnauru\0" "NIrepublicofnicaragua\0"
  "MKrepublicofnorthmacedonia\0" "PWrepublicofpalau\0" "PArepublicofpanama\0" "PYrepublicofparaguay\0"
  "PErepublicofperu\0" "PLrepublicofpoland\0" "RWrepublicofrwanda\0" "SMrepublicofsanmarino\0"
  "SNrepublicofsenegal\0" "RSrepublicofserbia\0" "SCrepublicofseychelles\0" "SLrepublicofsierraleone\0"
  "SGrepublicofsingapore\0" "SIrepublicofslovenia\0" "ZArepublicofsouthafrica\0" "SSrepublicofsouthsudan\0"
  "SRrepublicofsuriname\0" "TJrepublicoftajikistan\0" "CGrepublicofthecongo\0" "GMrepublicofthegambia\0"
  "MHrepublicofthemarshallislands\0" "NErepublicoftheniger\0" "PHrepublicofthephilippines\0"
  "CGrepublicoftherepublicofthecongo\0" "GMrepublicoftherepublicofthegambia\0" "SDrepublicofthesudan\0"
  "TTrepublicoftrinidadandtobago\0" "TNrepublicoftunisia\0" "TRrepublicofturkey\0" "TRrepublicofturkiye\0"
  "UGrepublicofuganda\0" "UZrepublicofuzbekistan\0" "VUrepublicofvanuatu\0" "YErepublicofyemen\0"
  "ZMrepublicofzambia\0" "ZWrepublicofzimbabwe\0" "REreu\0" "REreunion\0" "ROro\0" "ROromania\0" "ROrou\0"
  "RSrs\0" "RUru\0" "RUrus\0" "RUrussia\0" "RUrussianfederation\0" "RWrw\0" "RWrwa\0" "RWrwanda\0"
  "RWrwandeserepublic\0" "SAsa\0" "BLsaintbarthelemy\0" "BLsaintbarths\0" "BLsaintbarts\0" "SHsainthelena\0"
  "SHsainthelenaascensionandtristandacunha\0" "KNsaintkitts\0" "KNsaintkittsandnevis\0" "LCsaintlucia\0"
  "MFsaintmartin\0" "SXsaintmartindutchpart\0" "MFsaintmartinfrenchpart\0" "PMsaintpierreandmiquelon\0"
  "VCsaintvincent\0" "VCsaintvincentandgrenadines\0" "VCsaintvincentandthegrenadines\0" "WSsamoa\0"
  "SMsanmarino\0" "STsaotome\0" "STsaotomeandprincipe\0" "SAsau\0" "SAsaudiarabia\0" "SBsb\0" "SCsc\0"
  "GBscotland\0" "SDsd\0" "SDsdn\0" "SEse\0" "SNsen\0" "SNsenegal\0" "RSserbia\0" "SCseychelles\0" "SGsg\0"
  "SGsgp\0" "GSsgs\0" "SHsh\0" "SHshn\0" "SIsi\0" "SLsierraleone\0" "SGsingapore\0"
  "BQsinteustatiusandsababonaire\0" "SXsintmaarten\0" "SXsintmaartendutchpart\0" "SJsj\0" "SJsjm\0" "SKsk\0"
  "SLsl\0" "SBslb\0" "SLsle\0" "SKslovakia\0" "SKslovakrepublic\0" "SIslovenia\0" "SVslv\0" "SMsm\0"
  "SMsmr\0" "SNsn\0" "SOso\0" "VNsocialistrepublicofvietnam\0" "SBsolomonislands\0" "SOsom\0" "SOsomalia\0"
  "ZAsouthafrica\0" "GSsouthgeorgia\0" "GSsouthgeorgiaandsouthsandwichislands\0"
  "GSsouthgeorgiaandthesouthsandwichislands\0" "KRsouthkorea\0" "SSsouthsudan\0" "ESspain\0" "PMspm\0"
  "SRsr\0" "RSsrb\0" "LKsrilanka\0" "SSss\0" "SSssd\0" "STst\0" "ERstateoferitrea\0" "ILstateofisrael\0"
  "KWstateofkuwait\0" "LYstateoflibya\0" "PSstateofpalestine\0" "QAstateofqatar\0" "BLstbarthelemy\0"
  "BLstbarths\0" "BLstbarts\0" "SHsthelena\0" "SHsthelenaascensionandtristandacunha\0" "KNstkitts\0"
  "KNstkittsandnevis\0" "LCstlucia\0" "MFstmartin\0" "SXstmartindutchpart\0" "MFstmartinfrenchpart\0"
  "STstp\0" "PMstpierreandmiquelon\0" "VCstvincent\0" "VCstvincentandgrenadines\0"
  "VCstvincentandthegrenadines\0" "SDsudan\0" "OMsultanateofoman\0" "SRsur\0" "SRsuriname\0" "SVsv\0"
  "SJsvalbard\0" "SJsvalbardandjanmayen\0" "SJsvalbardandjanmayenislands\0" "SKsvk\0" "SIsvn\0"
  "SZswaziland\0" "SEswe\0" "SEsweden\0" "CHswissconfederation\0" "CHswitzerland\0" "SZswz\0" "SXsx\0"
  "SXsxm\0" "SYsy\0" "SCsyc\0" "SYsyr\0" "SYsyria\0" "SYsyrianarabrepublic\0" "SZsz\0" "TAta\0" "TWtaiwan\0"
  "TWtaiwanprovinceofchina\0" "TJtajikistan\0" "TZtanzania\0" "TZtanzaniatheunitedrepublicof\0"
  "TZtanzaniaunitedrepublicof\0" "TCtc\0" "TCtca\0" "TDtcd\0" "TDtd\0" "TFtf\0" "TGtg\0" "TGtgo\0" "THth\0"
  "THtha\0" "THthailand\0" "TLtimorleste\0" "TJtj\0" "TJtjk\0" "TKtk\0" "TKtkl\0" "TMtkm\0" "TLtl\0"
  "TLtls\0" "TMtm\0" "TNtn\0" "TOto\0" "TGtogo\0" "TGtogoleserepublic\0" "TKtokelau\0" "TOton\0" "TOtonga\0"
  "TRtr\0" "TTtrinidad\0" "TTtrinidadandtobago\0" "TAtristandacunha\0" "TTtt\0" "TTtto\0" "TNtun\0"
  "TNtunisia\0" "TRtur\0" "TRturkey\0" "TRturkiye\0" "TMturkmenistan\0" "TCturksandcaicos\0"
  "TCturksandcaicosislands\0" "TVtuv\0" "TVtuvalu\0" "TVtv\0" "TWtw\0" "TWtwn\0" "TZtz\0" "TZtza\0" "UAua\0"
  "AEuae\0" "UGug\0" "UGuga\0" "UGuganda\0" "GBuk\0" "UAukr\0" "UAukraine\0" "UMum\0" "UMumi\0"
  "MMunionofmyanmar\0" "KMunionofthecomoros\0" "AEunitedarabemirates\0" "GBunitedkingdom\0"
  "GBunitedkingdomofgreatbritainandnorthernireland\0" "MXunitedmexicanstates\0"
  "TZunitedrepublicoftanzania\0" "USunitedstates\0" "UMunitedstatesminoroutlyingislands\0"
  "USunitedstatesofamerica\0" "VIunitedstatesvirginislands\0" "UYuruguay\0" "UYury\0" "USus\0" "USusa\0"
  "UMusoutlyingislands\0" "VIusvirginislands\0" "UYuy\0" "UZuz\0" "UZuzb\0" "UZuzbekistan\0" "VAva\0"
  "VUvanuatu\0" "VAvat\0" "VAvatican\0" "VAvaticancity\0" "VAvaticancitystate\0" "VCvc\0" "VCvct\0" "VEve\0"
  "VEven\0" "VEvenezuela\0" "VEvenezuelabolivarianrepublicof\0" "VEvenezuelarb\0" "VGvg\0" "VGvgb\0"
  "VIvi\0" "VNvietnam\0" "VIvir\0" "VGvirginislandsbritish\0" "VIvirginislandsoftheunitedstates\0"
  "VIvirginislandsus\0" "VNvn\0" "VNvnm\0" "VUvu\0" "VUvut\0" "GBwales\0" "WFwallisandfutuna\0"
  "PSwestbankandgaza\0" "EHwesternsahara\0" "WFwf\0" "WFwlf\0" "WSws\0" "WSwsm\0" "XKxk\0" "XKxkk\0"
  "YEye\0" "YEyem\0" "YEyemen\0" "YEyemenrep\0" "YTyt\0" "ZAza\0" "ZAzaf\0" "ZMzambia\0" "ZWzimbabwe\0"
  "ZMzm\0" "ZMzmb\0" "ZWzw\0" "ZWzwe\0";
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

/* Where each of them begins. */
static const uint16_t SC3_REGION_NAME_AT[] = {
  0, 6, 11, 16, 21, 26, 32, 46, 51, 57, 62, 68, 73, 79, 87, 102, 108, 118, 128, 133, 143, 159, 165, 175,
  184, 195, 208, 228, 233, 238, 243, 265, 271, 277, 289, 309, 315, 325, 333, 338, 356, 362, 367, 373, 379,
  385, 390, 396, 408, 418, 424, 429, 434, 439, 445, 458, 463, 473, 483, 496, 507, 512, 517, 523, 528, 534,
  544, 554, 563, 569, 577, 587, 593, 598, 604, 609, 615, 621, 626, 632, 638, 647, 652, 658, 663, 668, 674,
  680, 686, 691, 697, 702, 707, 713, 745, 755, 785, 795, 825, 834, 857, 868, 883, 888, 893, 899, 908, 914,
  924, 954, 977, 983, 992, 1011, 1016, 1021, 1027, 1038, 1052, 1060, 1070, 1075, 1081, 1086, 1092, 1097,
  1102, 1107, 1119, 1125, 1136, 1147, 1153, 1162, 1174, 1197, 1213, 1218, 1224, 1229, 1249, 1274, 1279,
  1284, 1289, 1296, 1302, 1310, 1318, 1334, 1340, 1346, 1364, 1369, 1375, 1380, 1385, 1390, 1396, 1401,
  1406, 1421, 1443, 1449, 1455, 1461, 1467, 1478, 1484, 1510, 1535, 1562, 1604, 1614, 1622, 1641, 1655,
  1666, 1682, 1693, 1724, 1738, 1768, 1780, 1794, 1800, 1805, 1811, 1821, 1826, 1832, 1839, 1849, 1855,
  1860, 1865, 1870, 1876, 1881, 1887, 1893, 1902, 1907, 1913, 1923, 1934, 1950, 1955, 1990, 2031, 2062,
  2095, 2135, 2145, 2151, 2156, 2162, 2173, 2178, 2183, 2189, 2195, 2200, 2206, 2217, 2232, 2252, 2259,
  2265, 2275, 2280, 2286, 2313, 2325, 2330, 2336, 2346, 2351, 2356, 2362, 2370, 2385, 2390, 2395, 2408,
  2419, 2429, 2448, 2453, 2459, 2469, 2474, 2480, 2486, 2492, 2502, 2513, 2518, 2524, 2535, 2553, 2579,
  2608, 2623, 2661, 2696, 2723, 2750, 2777, 2807, 2836, 2841, 2848, 2854, 2864, 2869, 2875, 2880, 2886,
  2891, 2896, 2901, 2907, 2916, 2931, 2949, 2966, 2994, 3000, 3006, 3014, 3019, 3025, 3033, 3052, 3061,
  3066, 3072, 3077, 3082, 3088, 3098, 3108, 3113, 3118, 3124, 3129, 3135, 3143, 3148, 3154, 3166, 3172,
  3177, 3183, 3188, 3194, 3199, 3205, 3211, 3216, 3221, 3226, 3251, 3257, 3263, 3278, 3287, 3299, 3309,
  3315, 3320, 3325, 3331, 3336, 3349, 3356, 3368, 3379, 3385, 3394, 3409, 3415, 3421, 3430, 3435, 3440,
  3448, 3475, 3501, 3533, 3542, 3561, 3566, 3572, 3577, 3583, 3588, 3594, 3604, 3614, 3640, 3651, 3662,
  3678, 3692, 3711, 3756, 3761, 3767, 3772, 3778, 3783, 3789, 3799, 3809, 3814, 3820, 3825, 3830, 3835,
  3841, 3846, 3852, 3887, 3913, 3921, 3933, 3938, 3944, 3949, 3954, 3961, 3978, 4002, 4009, 4019, 4039,
  4045, 4051, 4057, 4062, 4068, 4099, 4123, 4164, 4194, 4222, 4234, 4240, 4249, 4254, 4260, 4278, 4286,
  4299, 4305, 4315, 4323, 4328, 4337, 4343, 4348, 4353, 4359, 4368, 4373, 4379, 4385, 4398, 4403, 4420,
  4426, 4434, 4439, 4445, 4450, 4456, 4461, 4480, 4499, 4517, 4537, 4556, 4576, 4595, 4614, 4632, 4655,
  4672, 4690, 4710, 4736, 4771, 4788, 4794, 4805, 4810, 4815, 4821, 4827, 4835, 4870, 4891, 4904, 4915,
  4933, 4946, 4984, 5005, 5014, 5019, 5024, 5033, 5038, 5044, 5049, 5066, 5079, 5084, 5089, 5095, 5104,
  5135, 5142, 5154, 5163, 5168, 5174, 5180, 5186, 5191, 5197, 5216, 5226, 5236, 5241, 5251, 5259, 5282,
  5288, 5304, 5316, 5321, 5327, 5332, 5337, 5343, 5348, 5354, 5359, 5365, 5378, 5383, 5389, 5394, 5399,
  5405, 5413, 5426, 5437, 5453, 5495, 5503, 5514, 5526, 5565, 5578, 5584, 5600, 5609, 5620, 5631, 5638,
  5646, 5657, 5663, 5681, 5694, 5707, 5719, 5729, 5734, 5740, 5745, 5751, 5757, 5763, 5768, 5774, 5783,
  5788, 5793, 5798, 5804, 5817, 5847, 5866, 5871, 5877, 5882, 5888, 5894, 5899, 5905, 5910, 5916, 5922,
  5928, 5933, 5943, 5963, 5986, 5995, 6006, 6019, 6032, 6042, 6048, 6061, 6066, 6071, 6076, 6082, 6087,
  6093, 6098, 6104, 6109, 6115, 6120, 6125, 6131, 6136, 6141, 6151, 6166, 6172, 6178, 6183, 6188, 6194,
  6204, 6221, 6229, 6234, 6240, 6245, 6253, 6259, 6273, 6296, 6311, 6324, 6329, 6335, 6340, 6346, 6351,
  6357, 6369, 6377, 6387, 6393, 6400, 6405, 6411, 6416, 6422, 6438, 6456, 6481, 6494, 6511, 6520, 6525,
  6531, 6536, 6542, 6547, 6552, 6558, 6563, 6570, 6576, 6581, 6587, 6598, 6606, 6618, 6637, 6662, 6685,
  6716, 6722, 6731, 6748, 6759, 6765, 6770, 6807, 6837, 6862, 6904, 6910, 6917, 6922, 6927, 6932, 6946,
  6952, 6963, 6981, 6986, 6991, 7021, 7027, 7032, 7037, 7043, 7049, 7058, 7069, 7090, 7095, 7105, 7111,
  7135, 7165, 7188, 7194, 7218, 7224, 7230, 7235, 7241, 7246, 7259, 7264, 7269, 7275, 7280, 7286, 7294,
  7299, 7319, 7338, 7358, 7378, 7401, 7421, 7439, 7472, 7493, 7514, 7534, 7556, 7577, 7599, 7616, 7634,
  7655, 7677, 7701, 7721, 7738, 7757, 7778, 7798, 7821, 7850, 7870, 7887, 7907, 7925, 7947, 7966, 7991,
  8010, 8028, 8049, 8069, 8087, 8109, 8126, 8146, 8169, 8192, 8210, 8231, 8249, 8268, 8288, 8310, 8333,
  8352, 8373, 8390, 8408, 8430, 8450, 8473, 8493, 8513, 8531, 8553, 8580, 8598, 8617, 8638, 8655, 8674,
  8693, 8715, 8735, 8754, 8777, 8801, 8823, 8844, 8868, 8891, 8912, 8935, 8956, 8978, 9009, 9030, 9057,
  9091, 9126, 9147, 9177, 9197, 9216, 9236, 9255, 9278, 9298, 9316, 9335, 9356, 9362, 9372, 9377, 9387,
  9393, 9398, 9403, 9409, 9418, 9438, 9443, 9449, 9458, 9477, 9482, 9500, 9514, 9527, 9541, 9581, 9594,
  9615, 9628, 9642, 9665, 9689, 9714, 9729, 9757, 9788, 9796, 9808, 9818, 9839, 9845, 9859, 9864, 9869,
  9880, 9885, 9891, 9896, 9902, 9912, 9921, 9934, 9939, 9945, 9951, 9956, 9962, 9967, 9981, 9993, 10023,
  10037, 10060, 10065, 10071, 10076, 10081, 10087, 10093, 10104, 10121, 10132, 10138, 10143, 10149, 10154,
  10159, 10188, 10205, 10211, 10221, 10235, 10250, 10288, 10329, 10342, 10355, 10363, 10369, 10374, 10380,
  10391, 10396, 10402, 10407, 10424, 10440, 10456, 10471, 10490, 10505, 10520, 10531, 10541, 10552, 10589,
  10599, 10617, 10627, 10638, 10658, 10679, 10685, 10707, 10719, 10744, 10772, 10780, 10798, 10804, 10815,
  10820, 10831, 10853, 10882, 10888, 10894, 10906, 10912, 10921, 10942, 10956, 10962, 10967, 10973, 10978,
  10984, 10990, 10998, 11019, 11024, 11029, 11038, 11062, 11075, 11086, 11116, 11143, 11148, 11154, 11160,
  11165, 11170, 11175, 11181, 11186, 11192, 11203, 11216, 11221, 11227, 11232, 11238, 11244, 11249, 11255,
  11260, 11265, 11270, 11277, 11296, 11306, 11312, 11320, 11325, 11336, 11356, 11373, 11378, 11384, 11390,
  11400, 11406, 11415, 11425, 11440, 11457, 11481, 11487, 11496, 11501, 11506, 11512, 11517, 11523, 11528,
  11534, 11539, 11545, 11554, 11559, 11565, 11575, 11580, 11586, 11603, 11623, 11644, 11660, 11708, 11730,
  11757, 11772, 11807, 11831, 11859, 11869, 11875, 11880, 11886, 11906, 11924, 11929, 11934, 11940, 11953,
  11958, 11968, 11974, 11984, 11998, 12017, 12022, 12028, 12033, 12039, 12051, 12083, 12097, 12102, 12108,
  12113, 12123, 12129, 12152, 12185, 12203, 12208, 12214, 12219, 12225, 12233, 12251, 12269, 12285, 12290,
  12296, 12301, 12307, 12312, 12318, 12323, 12329, 12337, 12348, 12353, 12358, 12364, 12373, 12384, 12389,
  12395, 12400,
};

#endif
