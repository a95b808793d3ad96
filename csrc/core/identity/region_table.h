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
  "AWabw\0" "ACac\0" "ADad\0" "AEae\0" "AFaf\0" "AFafg\0" "AFafghanistan\0" "ZAafricadosul\0"
  "ZAafriquedusud\0" "AGag\0" "AOago\0" "AIai\0" "AIaia\0" "ALal\0" "AXala\0" "AXaland\0" "AXalandislands\0"
  "ALalb\0" "ALalbania\0" "DEalemanha\0" "DEalemania\0" "DZalgeria\0" "DEallemagne\0" "AMam\0" "USamerica\0"
  "ASamericansamoa\0" "ADand\0" "ADandorra\0" "ADandorre\0" "AOangola\0" "AIanguilla\0" "AQantarctica\0"
  "AGantiguaandbarbuda\0" "AOao\0" "AQaq\0" "ARar\0" "EGarabrepublicofegypt\0" "AEare\0" "ARarg\0"
  "ARargentijnserepubliek\0" "ARargentina\0" "ARargentine\0" "ARargentinerepublic\0" "ARargentinie\0"
  "ARargentinien\0" "AMarm\0" "AMarmenia\0" "AWaruba\0" "ASas\0" "ACascensionisland\0" "ASasm\0" "ATat\0"
  "AQata\0" "TFatf\0" "AGatg\0" "AUau\0" "AUaus\0" "AUaustralia\0" "AUaustralie\0" "AUaustralien\0"
  "ATaustria\0" "ATaut\0" "ATautriche\0" "AWaw\0" "AXax\0" "AZaz\0" "AZaze\0" "AZazerbaijan\0" "BAba\0"
  "BSbahamas\0" "BHbahrain\0" "BDbangladesh\0" "BBbarbados\0" "BBbb\0" "BDbd\0" "BIbdi\0" "BEbe\0" "BEbel\0"
  "BYbelarus\0" "BEbelgica\0" "BEbelgie\0" "BEbelgien\0" "BEbelgio\0" "BEbelgique\0" "BEbelgium\0"
  "BZbelize\0" "BJben\0" "BJbenin\0" "BMbermuda\0" "BQbes\0" "BFbf\0" "BFbfa\0" "BGbg\0" "BDbgd\0" "BGbgr\0"
  "BHbh\0" "BHbhr\0" "BSbhs\0" "BTbhutan\0" "BIbi\0" "BAbih\0" "BJbj\0" "BLbl\0" "BLblm\0" "BYblr\0"
  "BZblz\0" "BMbm\0" "BMbmu\0" "BNbn\0" "BObo\0" "BObol\0" "VEbolivarianrepublicofvenezuela\0" "BObolivia\0"
  "BOboliviaplurinationalstateof\0" "BQbonaire\0" "BQbonairesinteustatiusandsaba\0"
  "DEbondsrepubliekduitsland\0" "BAbosnia\0" "BAbosniaandherzegovina\0" "BWbotswana\0" "BVbouvetisland\0"
  "BQbq\0" "BRbr\0" "BRbra\0" "BRbrasil\0" "BRbrasile\0" "BRbrasilien\0" "BRbrazil\0" "BRbrazilie\0"
  "BBbrb\0" "DEbrd\0" "BRbresil\0" "GBbritain\0" "IObritishindianoceanterritory\0"
  "VGbritishvirginislands\0" "BNbrn\0" "BNbrunei\0" "BNbruneidarussalam\0" "BSbs\0" "BTbt\0" "BTbtn\0"
  "BGbulgaria\0" "BGbulgarie\0" "BGbulgarien\0" "BGbulgarije\0" "DEbundesrepublikdeutschland\0"
  "BFburkinafaso\0" "MMburma\0" "BIburundi\0" "BVbv\0" "BVbvt\0" "BWbw\0" "BWbwa\0" "BYby\0" "BZbz\0"
  "CAca\0" "CVcaboverde\0" "CFcaf\0" "KHcambodia\0" "CMcameroon\0" "CAcan\0" "CAcanada\0" "CVcapeverde\0"
  "BQcaribbeannetherlands\0" "KYcaymanislands\0" "CCcc\0" "CCcck\0" "CDcd\0" "CFcentralafricanrep\0"
  "CFcentralafricanrepublic\0" "CFcf\0" "CGcg\0" "CHch\0" "TDchad\0" "CHche\0" "CZchequia\0" "CLchile\0"
  "CLchili\0" "CNchina\0" "CNchinamainland\0" "CNchine\0" "CYchipre\0" "CLchl\0" "CNchn\0"
  "CXchristmasisland\0" "CYchypre\0" "CIci\0" "CLcile\0" "CNcina\0" "CYcipro\0" "CIciv\0" "CKck\0" "CLcl\0"
  "CMcm\0" "CMcmr\0" "CNcn\0" "COco\0" "CCcocosislands\0" "CCcocoskeelingislands\0" "CDcod\0" "CGcog\0"
  "CKcok\0" "COcol\0" "COcolombia\0" "COcolombie\0" "KMcom\0" "AUcommonwealthofaustralia\0"
  "DMcommonwealthofdominica\0" "BScommonwealthofthebahamas\0" "MPcommonwealthofthenorthernmarianaislands\0"
  "KMcomoros\0" "CGcongo\0" "CGcongobrazzaville\0" "CDcongodemrep\0" "CDcongodrc\0" "CDcongokinshasa\0"
  "CGcongorep\0" "CDcongothedemocraticrepublicof\0" "CKcookislands\0" "GYcooperativerepublicofguyana\0"
  "KRcoreadelsud\0" "KRcoreadelsur\0" "KRcoreedusud\0" "KRcoreiadosul\0" "CRcostarica\0" "CIcotedivoire\0"
  "CVcpv\0" "CRcr\0" "CRcri\0" "HRcroacia\0" "HRcroatia\0" "HRcroatie\0" "HRcroazia\0" "CUcu\0" "CUcub\0"
  "CUcuba\0" "CWcuracao\0" "CWcuw\0" "CVcv\0" "CWcw\0" "CXcx\0" "CXcxr\0" "CYcy\0" "KYcym\0" "CYcyp\0"
  "CYcyprus\0" "CZcz\0" "CZcze\0" "CZczechia\0" "CZczechrep\0" "CZczechrepublic\0" "DKdaenemark\0"
  "DKdanemark\0" "DKdanimarca\0" "DKdanmark\0" "DEde\0" "KPdemocraticpeoplesrepublicofkorea\0"
  "STdemocraticrepublicofsaotomeandprincipe\0" "CDdemocraticrepublicofthecongo\0"
  "TLdemocraticrepublicoftimorleste\0" "LKdemocraticsocialistrepublicofsrilanka\0" "DKdenemarken\0"
  "DKdenmark\0" "DEdeu\0" "DEdeutschland\0" "DKdinamarca\0" "DJdj\0" "DJdji\0" "DJdjibouti\0" "DKdk\0"
  "DMdm\0" "DMdma\0" "DKdnk\0" "DOdo\0" "DOdom\0" "DMdominica\0" "DOdominicanrep\0" "DOdominicanrepublic\0"
  "KPdprk\0" "CDdrc\0" "CDdrcongo\0" "DEduitsland\0" "DZdz\0" "DZdza\0" "UYeasternrepublicofuruguay\0"
  "TLeasttimor\0" "ECec\0" "ECecu\0" "ECecuador\0" "EEee\0" "EEeesti\0" "USeeuu\0" "EGeg\0" "EGegy\0"
  "EGegypt\0" "EGegyptarabrep\0" "EHeh\0" "IEeire\0" "GRel\0" "SVelsalvador\0" "AEemirates\0" "GBengland\0"
  "GQequatorialguinea\0" "ERer\0" "EReri\0" "EReritrea\0" "ESes\0" "EHesh\0" "SKeslovaquia\0"
  "SIeslovenia\0" "ESesp\0" "ESespagne\0" "ESespana\0" "ESespanha\0" "EEest\0" "USestadosunidos\0"
  "USestadosunidosdaamerica\0" "EEestland\0" "EEestonia\0" "EEestonie\0" "SZeswatini\0" "ETet\0"
  "USetatsunis\0" "USetatsunisdamerique\0" "ETeth\0" "ETethiopia\0" "FKfalklandislands\0"
  "FKfalklandislandsmalvinas\0" "FKfalklandislandsthemalvinas\0" "FOfaroeislands\0"
  "ETfederaldemocraticrepublicofethiopia\0" "NPfederaldemocraticrepublicofnepal\0"
  "BRfederalerepubliekbrazilie\0" "DEfederalrepublicofgermany\0" "NGfederalrepublicofnigeria\0"
  "SOfederalrepublicofsomalia\0" "FMfederatedstatesofmicronesia\0" "BRfederativerepublicofbrazil\0" "FIfi\0"
  "FJfiji\0" "FIfin\0" "FIfinland\0" "FIfinlande\0" "FIfinlandia\0" "FIfinnland\0" "FJfj\0" "FJfji\0"
  "FKfk\0" "FKflk\0" "FMfm\0" "FOfo\0" "FRfr\0" "FRfra\0" "FRfranca\0" "FRfrance\0" "FRfrancia\0"
  "FRfrankreich\0" "FRfrankrijk\0" "FRfranserepubliek\0" "GFfrenchguiana\0" "PFfrenchpolynesia\0"
  "FRfrenchrepublic\0" "TFfrenchsouthernterritories\0" "FOfro\0" "FMfsm\0" "LIfuerstentumliechtenstein\0"
  "LIfurstentumliechtenstein\0" "MKfyrom\0" "GAga\0" "GAgab\0" "GAgabon\0" "GAgaboneserepublic\0"
  "GMgambia\0" "GBgb\0" "GBgbr\0" "GDgd\0" "GEge\0" "AUgemenebestvanaustralie\0" "GEgeo\0" "GEgeorgia\0"
  "DEgermania\0" "DEgermany\0" "GFgf\0" "GGgg\0" "GGggy\0" "GHgh\0" "GHgha\0" "GHghana\0" "GIgi\0"
  "JPgiappone\0" "GIgib\0" "GIgibraltar\0" "GNgin\0" "GLgl\0" "GPglp\0" "GMgm\0" "GMgmb\0" "GNgn\0"
  "GWgnb\0" "GQgnq\0" "GPgp\0" "GQgq\0" "GRgr\0" "GBgrabretanha\0" "GBgranbretagna\0" "GBgranbretana\0"
  "LUgrandduchyofluxembourg\0" "GBgrandebretagne\0" "GRgrc\0" "GDgrd\0" "GBgreatbritain\0" "GRgrece\0"
  "GRgrecia\0" "GRgreece\0" "GLgreenland\0" "GDgrenada\0" "GRgriechenland\0" "GRgriekenland\0" "GLgrl\0"
  "GBgrobritannien\0" "GBgrootbrittannie\0" "LUgroothertogdomluxemburg\0" "GBgrossbritannien\0" "GSgs\0"
  "GTgt\0" "GTgtm\0" "GUgu\0" "GPguadeloupe\0" "GUguam\0" "GTguatemala\0" "GGguernsey\0" "GFguf\0"
  "GNguinea\0" "GWguineabissau\0" "GUgum\0" "GYguy\0" "GYguyana\0" "GWgw\0" "GYgy\0" "HThaiti\0"
  "JOhashemitekingdomofjordan\0" "HMheardandmcdonaldislands\0" "HMheardislandandmcdonaldislands\0"
  "GRhellas\0" "GRhelleenserepubliek\0" "GRhellenicrepublic\0" "HKhk\0" "HKhkg\0" "HMhm\0" "HMhmd\0"
  "HNhn\0" "HNhnd\0" "NLholanda\0" "NLholland\0" "VAholysee\0" "VAholyseevaticancitystate\0" "HNhonduras\0"
  "HUhongaarserepubliek\0" "HUhongarije\0" "HKhongkong\0" "HKhongkongchina\0" "HKhongkongsar\0"
  "HKhongkongsarchina\0" "HKhongkongspecialadministrativeregionofchina\0" "HUhongrie\0" "HRhr\0" "HRhrv\0"
  "HRhrvatska\0" "HTht\0" "HThti\0" "HUhu\0" "HUhun\0" "HUhungary\0" "HUhungria\0" "ISiceland\0" "IDid\0"
  "IDidn\0" "IEie\0" "IEierland\0" "IEierserepubliek\0" "ISijsland\0" "ISijslandserepubliek\0" "ILil\0"
  "IMim\0" "IMimn\0" "INin\0" "INind\0" "INinde\0" "PGindependentstateofpapuanewguinea\0"
  "WSindependentstateofsamoa\0" "INindia\0" "INindien\0" "IDindonesia\0" "IOio\0" "IOiot\0" "IQiq\0"
  "IRir\0" "IRiran\0" "IRiranislamicrep\0" "IRiranislamicrepublicof\0" "IQiraq\0" "IEireland\0"
  "IEirelandrepublicof\0" "IEirl\0" "IEirland\0" "IEirlanda\0" "IEirlande\0" "IRirn\0" "IQirq\0" "ISis\0"
  "ISisl\0" "AFislamicrepublicofafghanistan\0" "IRislamicrepublicofiran\0"
  "IRislamicrepublicofislamicrepublicofiran\0" "MRislamicrepublicofmauritania\0"
  "PKislamicrepublicofpakistan\0" "ISisland\0" "ISislanda\0" "ISislande\0" "ISislandia\0" "IMisleofman\0"
  "ILisr\0" "ILisrael\0" "ILisraele\0" "ITit\0" "ITita\0" "ITitalia\0" "ITitaliaanserepubliek\0"
  "ITitalianrepublic\0" "ITitalie\0" "ITitalien\0" "ITitaly\0" "CIivorycoast\0" "JMjam\0" "JMjamaica\0"
  "JPjapan\0" "JPjapao\0" "JPjapon\0" "JEje\0" "JEjersey\0" "JEjey\0" "JMjm\0" "JOjo\0" "JOjor\0"
  "JOjordan\0" "JPjp\0" "JPjpn\0" "CAkanada\0" "KZkaz\0" "KZkazakhstan\0" "KEke\0" "CCkeelingislands\0"
  "KEken\0" "KEkenya\0" "KGkg\0" "KGkgz\0" "KHkh\0" "KHkhm\0" "KIki\0" "BHkingdomofbahrain\0"
  "BEkingdomofbelgium\0" "BTkingdomofbhutan\0" "KHkingdomofcambodia\0" "DKkingdomofdenmark\0"
  "SZkingdomofeswatini\0" "LSkingdomoflesotho\0" "MAkingdomofmorocco\0" "NOkingdomofnorway\0"
  "SAkingdomofsaudiarabia\0" "ESkingdomofspain\0" "SEkingdomofsweden\0" "THkingdomofthailand\0"
  "NLkingdomofthenetherlands\0" "NLkingdomofthenetherlandskingdomof\0" "TOkingdomoftonga\0" "KIkir\0"
  "KIkiribati\0" "KMkm\0" "KNkn\0" "KNkna\0" "COkolumbien\0" "BEkoninkrijkbelgie\0"
  "DKkoninkrijkdenemarken\0" "NLkoninkrijkdernederlanden\0" "NOkoninkrijknoorwegen\0" "ESkoninkrijkspanje\0"
  "SEkoninkrijkzweden\0" "KRkor\0" "KRkorea\0" "KPkoreademocraticpeoplesrepublicof\0"
  "KPkoreadempeoplesrep\0" "KPkoreanorth\0" "KRkorearep\0" "KRkorearepublicof\0" "KRkoreasouth\0"
  "KPkoreathedemocraticpeoplesrepublicof\0" "KRkoreatherepublicof\0" "XKkosovo\0" "KPkp\0" "KRkr\0"
  "HRkroatie\0" "HRkroatien\0" "KWkuwait\0" "KWkw\0" "KWkwt\0" "KYky\0" "KGkyrgyzrepublic\0"
  "KGkyrgyzstan\0" "KZkz\0" "LAla\0" "LAlao\0" "LAlaopdr\0" "LAlaopeoplesdemocraticrepublic\0" "LAlaos\0"
  "RElareunion\0" "LVlatvia\0" "LVlatvija\0" "LBlb\0" "LBlbn\0" "LRlbr\0" "LYlby\0" "LClc\0" "LClca\0"
  "LBlebaneserepublic\0" "LBlebanon\0" "LSlesotho\0" "LVletland\0" "LVletonia\0" "LVlettland\0"
  "LVlettonia\0" "LVlettonie\0" "LIli\0" "LRliberia\0" "LYlibya\0" "LYlibyanarabjamahiriya\0" "LIlie\0"
  "LIliechtenstein\0" "LTlietuva\0" "LTlitauen\0" "LTlithuania\0" "LTlitouwen\0" "LTlituania\0"
  "LTlituanie\0" "LKlk\0" "LKlka\0" "LRlr\0" "LSls\0" "LSlso\0" "LTlt\0" "LTltu\0" "LUlu\0"
  "LUlussemburgo\0" "LUlux\0" "LUluxembourg\0" "LUluxemburg\0" "LUluxemburgo\0" "LVlv\0" "LVlva\0" "LYly\0"
  "MAma\0" "MOmac\0" "MOmacao\0" "MOmacaochina\0" "MOmacaosar\0" "MOmacaosarchina\0"
  "MOmacaospecialadministrativeregionofchina\0" "MOmacau\0" "MOmacausar\0" "MKmacedonia\0"
  "MKmacedoniatheformeryugoslavrepublicof\0" "MGmadagascar\0" "MFmaf\0" "HUmagyarorszag\0"
  "CNmainlandchina\0" "MWmalawi\0" "MYmalaysia\0" "MVmaldives\0" "MLmali\0" "MTmalta\0" "MTmalte\0"
  "FKmalvinas\0" "MAmar\0" "MHmarshallislands\0" "MQmartinique\0" "MRmauritania\0" "MUmauritius\0"
  "YTmayotte\0" "MCmc\0" "MCmco\0" "MDmd\0" "MDmda\0" "MGmdg\0" "MVmdv\0" "MEme\0" "MXmessico\0" "MXmex\0"
  "MXmexico\0" "MXmexiko\0" "MXmexique\0" "MFmf\0" "MGmg\0" "MHmh\0" "MHmhl\0" "FMmicronesia\0"
  "FMmicronesiafederatedstatesof\0" "FMmicronesiafedsts\0" "MKmk\0" "MKmkd\0" "MLml\0" "MLmli\0" "MTmlt\0"
  "MMmm\0" "MMmmr\0" "MNmn\0" "MEmne\0" "MNmng\0" "MPmnp\0" "MOmo\0" "MDmoldova\0" "MDmoldovarepublicof\0"
  "MDmoldovatherepublicof\0" "MCmonaco\0" "MNmongolia\0" "MEmontenegro\0" "MSmontserrat\0" "MAmorocco\0"
  "MZmoz\0" "MZmozambique\0" "MPmp\0" "MQmq\0" "MRmr\0" "MRmrt\0" "MSms\0" "MSmsr\0" "MTmt\0" "MQmtq\0"
  "MUmu\0" "MUmus\0" "MVmv\0" "MWmw\0" "MWmwi\0" "MXmx\0" "MYmy\0" "MMmyanmar\0" "MMmyanmarburma\0"
  "MYmys\0" "YTmyt\0" "MZmz\0" "NAna\0" "NAnam\0" "NAnamibia\0" "BNnationofbrunei\0" "NRnauru\0" "NCnc\0"
  "NCncl\0" "NEne\0" "NLnederland\0" "NPnepal\0" "NEner\0" "NLnetherlands\0" "NLnetherlandskingdomof\0"
  "NZneuseeland\0" "NCnewcaledonia\0" "NZnewzealand\0" "NFnf\0" "NFnfk\0" "NGng\0" "NGnga\0" "NIni\0"
  "NInic\0" "NInicaragua\0" "NLniederlande\0" "NZnieuwzeeland\0" "NEniger\0" "NGnigeria\0" "NUniu\0"
  "NUniue\0" "NLnl\0" "NLnld\0" "NOno\0" "NOnoorwegen\0" "NOnor\0" "NFnorfolkisland\0" "NOnorge\0"
  "GBnorthernireland\0" "MPnorthernmarianaislands\0" "KPnorthkorea\0" "MKnorthmacedonia\0" "NOnoruega\0"
  "NOnorvege\0" "NOnorvegia\0" "NOnorway\0" "NOnorwegen\0" "NZnouvellezelande\0" "NZnovazelandia\0" "NPnp\0"
  "NPnpl\0" "NRnr\0" "NRnru\0" "NUnu\0" "NZnuevazelanda\0" "NZnuovazelanda\0" "NZnz\0" "NZnzl\0"
  "UAoekraine\0" "AToesterreich\0" "NLolanda\0" "OMom\0" "OMoman\0" "OMomn\0" "AToostenrijk\0"
  "ATosterreich\0" "PApa\0" "NLpaesibassi\0" "NLpaisesbaixos\0" "NLpaisesbajos\0" "PKpak\0" "PKpakistan\0"
  "PWpalau\0" "PSpalestine\0" "PSpalestinestateof\0" "PSpalestinianterritories\0" "PSpalestinianterritory\0"
  "PSpalestinianterritoryoccupied\0" "PApan\0" "PApanama\0" "PGpapuanewguinea\0" "PYparaguay\0"
  "NLpaysbas\0" "PNpcn\0" "PEpe\0" "DZpeoplesdemocraticrepublicofalgeria\0"
  "BDpeoplesrepublicofbangladesh\0" "CNpeoplesrepublicofchina\0"
  "CNpeoplesrepublicofpeoplesrepublicofchina\0" "PEper\0" "PEperou\0" "PEperu\0" "PFpf\0" "PGpg\0" "PHph\0"
  "PHphilippines\0" "PHphl\0" "PNpitcairn\0" "PNpitcairnislands\0" "PKpk\0" "PLpl\0"
  "BOplurinationalstateofbolivia\0" "PWplw\0" "PMpm\0" "PNpn\0" "PGpng\0" "PLpol\0" "PLpoland\0" "PLpolen\0"
  "PLpologne\0" "PLpolonia\0" "PLpolska\0" "PTportogallo\0" "PTportugal\0" "PTportugeserepubliek\0"
  "PTportugueserepublic\0" "PRpr\0" "CNprchina\0" "PRpri\0" "ADprincipalityofandorra\0"
  "LIprincipalityofliechtenstein\0" "MCprincipalityofmonaco\0" "KPprk\0" "TWprovinceofchinataiwan\0"
  "PTprt\0" "PYpry\0" "PSps\0" "PSpse\0" "PTpt\0" "PRpuertorico\0" "PWpw\0" "PYpy\0" "PFpyf\0" "QAqa\0"
  "QAqat\0" "QAqatar\0" "REre\0" "GBregnounito\0" "GBreinounido\0" "CZrepubblicaceca\0" "CZrepublicacheca\0"
  "KRrepublicadecorea\0" "ALrepublicofalbania\0" "AOrepublicofangola\0" "AMrepublicofarmenia\0"
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
  "ZMrepublicofzambia\0" "ZWrepublicofzimbabwe\0" "BGrepubliekbulgarije\0" "CLrepubliekchili\0"
  "COrepubliekcolombia\0" "CYrepubliekcyprus\0" "EErepubliekestland\0" "FIrepubliekfinland\0"
  "INrepubliekindia\0" "KRrepubliekkorea\0" "HRrepubliekkroatie\0" "LVrepubliekletland\0"
  "LTrepublieklitouwen\0" "MTrepubliekmalta\0" "ATrepubliekoostenrijk\0" "PErepubliekperu\0"
  "PLrepubliekpolen\0" "SMrepublieksanmarino\0" "SIrepubliekslovenie\0" "TRrepubliekturkije\0"
  "ZArepubliekzuidafrika\0" "CZrepubliquetcheque\0" "REreu\0" "REreunion\0" "ROro\0"
  "ROroemeenserepubliek\0" "ROroemenie\0" "ROromania\0" "ROromenia\0" "ROrou\0" "ROroumanie\0"
  "GBroyaumeuni\0" "RSrs\0" "RUru\0" "ROrumaenien\0" "ROrumania\0" "ROrumanien\0" "RUrus\0" "RUrusia\0"
  "RUrusland\0" "RUrussia\0" "RUrussianfederation\0" "RUrussie\0" "RUrussischefederatie\0"
  "RUrussischefoderation\0" "RUrussischefoederation\0" "RUrussland\0" "RWrw\0" "RWrwa\0" "RWrwanda\0"
  "RWrwandeserepublic\0" "SAsa\0" "BLsaintbarthelemy\0" "BLsaintbarths\0" "BLsaintbarts\0" "SHsainthelena\0"
  "SHsainthelenaascensionandtristandacunha\0" "KNsaintkitts\0" "KNsaintkittsandnevis\0" "LCsaintlucia\0"
  "SMsaintmarin\0" "MFsaintmartin\0" "SXsaintmartindutchpart\0" "MFsaintmartinfrenchpart\0"
  "PMsaintpierreandmiquelon\0" "VCsaintvincent\0" "VCsaintvincentandgrenadines\0"
  "VCsaintvincentandthegrenadines\0" "WSsamoa\0" "SMsanmarino\0" "STsaotome\0" "STsaotomeandprincipe\0"
  "SAsau\0" "SAsaudiarabia\0" "SBsb\0" "SCsc\0" "SEschweden\0" "CHschweiz\0" "GBscotland\0" "SDsd\0"
  "SDsdn\0" "SEse\0" "SNsen\0" "SNsenegal\0" "RSserbia\0" "SCseychelles\0" "SGsg\0" "SGsgp\0" "GSsgs\0"
  "SHsh\0" "SHshn\0" "SIsi\0" "SLsierraleone\0" "SGsingapore\0" "BQsinteustatiusandsababonaire\0"
  "SXsintmaarten\0" "SXsintmaartendutchpart\0" "SJsj\0" "SJsjm\0" "SKsk\0" "SLsl\0" "SBslb\0" "SLsle\0"
  "SKslovacchia\0" "SKslovakia\0" "SKslovakrepublic\0" "SKslovaquie\0" "SIslovenia\0" "SIslovenie\0"
  "SIslovenija\0" "SKslovensko\0" "SKslowaakserepubliek\0" "SKslowakei\0" "SKslowakije\0"
  "SKslowakischerepublik\0" "SIslowenien\0" "SVslv\0" "SMsm\0" "SMsmr\0" "SNsn\0" "SOso\0"
  "VNsocialistrepublicofvietnam\0" "SBsolomonislands\0" "SOsom\0" "SOsomalia\0" "ZAsouthafrica\0"
  "GSsouthgeorgia\0" "GSsouthgeorgiaandsouthsandwichislands\0" "GSsouthgeorgiaandthesouthsandwichislands\0"
  "KRsouthkorea\0" "SSsouthsudan\0" "ESspagna\0" "ESspain\0" "ESspanien\0" "ESspanje\0" "PMspm\0" "SRsr\0"
  "RSsrb\0" "LKsrilanka\0" "SSss\0" "SSssd\0" "STst\0" "ILstaatisrael\0" "ERstateoferitrea\0"
  "ILstateofisrael\0" "KWstateofkuwait\0" "LYstateoflibya\0" "PSstateofpalestine\0" "QAstateofqatar\0"
  "USstatiuniti\0" "USstatiunitidamerica\0" "BLstbarthelemy\0" "BLstbarths\0" "BLstbarts\0" "SHsthelena\0"
  "SHsthelenaascensionandtristandacunha\0" "KNstkitts\0" "KNstkittsandnevis\0" "LCstlucia\0" "MFstmartin\0"
  "SXstmartindutchpart\0" "MFstmartinfrenchpart\0" "STstp\0" "PMstpierreandmiquelon\0" "VCstvincent\0"
  "VCstvincentandgrenadines\0" "VCstvincentandthegrenadines\0" "ZAsudafrica\0" "ZAsudafrika\0" "SDsudan\0"
  "KRsudkorea\0" "SEsuecia\0" "ZAsuedafrika\0" "SEsuede\0" "KRsuedkorea\0" "CHsuica\0" "CHsuisse\0"
  "CHsuiza\0" "OMsultanateofoman\0" "FIsuomi\0" "SRsur\0" "SRsuriname\0" "SVsv\0" "SJsvalbard\0"
  "SJsvalbardandjanmayen\0" "SJsvalbardandjanmayenislands\0" "SEsverige\0" "SEsvezia\0" "CHsvizzera\0"
  "SKsvk\0" "SIsvn\0" "SZswaziland\0" "SEswe\0" "SEsweden\0" "CHswissconfederation\0" "CHswitzerland\0"
  "SZswz\0" "SXsx\0" "SXsxm\0" "SYsy\0" "SCsyc\0" "SYsyr\0" "SYsyria\0" "SYsyrianarabrepublic\0" "SZsz\0"
  "TAta\0" "TWtaiwan\0" "TWtaiwanprovinceofchina\0" "TJtajikistan\0" "TZtanzania\0"
  "TZtanzaniatheunitedrepublicof\0" "TZtanzaniaunitedrepublicof\0" "TCtc\0" "TCtca\0" "TDtcd\0"
  "CZtchequie\0" "TDtd\0" "TFtf\0" "TGtg\0" "TGtgo\0" "THth\0" "THtha\0" "THthailand\0" "TLtimorleste\0"
  "TJtj\0" "TJtjk\0" "TKtk\0" "TKtkl\0" "TMtkm\0" "TLtl\0" "TLtls\0" "TMtm\0" "TNtn\0" "TOto\0" "TGtogo\0"
  "TGtogoleserepublic\0" "TKtokelau\0" "TOton\0" "TOtonga\0" "TRtr\0" "TTtrinidad\0" "TTtrinidadandtobago\0"
  "TAtristandacunha\0" "CZtschechien\0" "CZtschechischerepublik\0" "CZtsjechie\0" "CZtsjechischerepubliek\0"
  "TTtt\0" "TTtto\0" "TRtuerkei\0" "TNtun\0" "TNtunisia\0" "TRtur\0" "TRturchia\0" "TRturkei\0" "TRturkey\0"
  "TRturkije\0" "TRturkiye\0" "TMturkmenistan\0" "TCturksandcaicos\0" "TCturksandcaicosislands\0"
  "TRturquia\0" "TRturquie\0" "TVtuv\0" "TVtuvalu\0" "TVtv\0" "TWtw\0" "TWtwn\0" "TZtz\0" "TZtza\0" "UAua\0"
  "AEuae\0" "UAucraina\0" "UAucrania\0" "UGug\0" "UGuga\0" "UGuganda\0" "GBuk\0" "UAukr\0" "UAukraine\0"
  "UMum\0" "UMumi\0" "HUungarn\0" "HUungheria\0" "MMunionofmyanmar\0" "KMunionofthecomoros\0"
  "AEunitedarabemirates\0" "GBunitedkingdom\0" "GBunitedkingdomofgreatbritainandnorthernireland\0"
  "MXunitedmexicanstates\0" "TZunitedrepublicoftanzania\0" "USunitedstates\0"
  "UMunitedstatesminoroutlyingislands\0" "USunitedstatesofamerica\0" "VIunitedstatesvirginislands\0"
  "UYuruguay\0" "UYury\0" "USus\0" "USusa\0" "UMusoutlyingislands\0" "VIusvirginislands\0" "UYuy\0" "UZuz\0"
  "UZuzb\0" "UZuzbekistan\0" "VAva\0" "VUvanuatu\0" "VAvat\0" "VAvatican\0" "VAvaticancity\0"
  "VAvaticancitystate\0" "VCvc\0" "VCvct\0" "VEve\0" "VEven\0" "VEvenezuela\0"
  "VEvenezuelabolivarianrepublicof\0" "VEvenezuelarb\0" "GBvereinigteskoenigreich\0"
  "GBvereinigteskonigreich\0" "USvereinigtestaaten\0" "USvereinigtestaatenvonamerika\0"
  "MXverenigdemexicaansestaten\0" "USverenigdestaten\0" "USverenigdestatenvanamerika\0"
  "GBverenigdkoninkrijk\0" "GBverenigdkoninkrijkvangrootbrittannieennoordierland\0" "VGvg\0" "VGvgb\0"
  "VIvi\0" "VNvietnam\0" "VIvir\0" "VGvirginislandsbritish\0" "VIvirginislandsoftheunitedstates\0"
  "VIvirginislandsus\0" "VNvn\0" "VNvnm\0" "CNvolksrepubliekchina\0" "CNvolksrepublikchina\0"
  "ADvorstendomandorra\0" "LIvorstendomliechtenstein\0" "MCvorstendommonaco\0" "VUvu\0" "VUvut\0"
  "GBwales\0" "WFwallisandfutuna\0" "PSwestbankandgaza\0" "EHwesternsahara\0" "WFwf\0" "WFwlf\0" "WSws\0"
  "WSwsm\0" "XKxk\0" "XKxkk\0" "YEye\0" "YEyem\0" "YEyemen\0" "YEyemenrep\0" "YTyt\0" "ZAza\0" "ZAzaf\0"
  "ZMzambia\0" "ZWzimbabwe\0" "ZMzm\0" "ZMzmb\0" "ZAzuidafrika\0" "KRzuidkorea\0" "ZWzw\0" "ZWzwe\0"
  "SEzweden\0" "CHzwitserland\0" "CHzwitsersebondsstaat\0" "CYzypern\0";
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

/* Where each of them begins. */
static const uint16_t SC3_REGION_NAME_AT[] = {
  0, 6, 11, 16, 21, 26, 32, 46, 60, 75, 80, 86, 91, 97, 102, 108, 116, 131, 137, 147, 158, 169, 179, 191,
  196, 206, 222, 228, 238, 248, 257, 268, 281, 301, 306, 311, 316, 338, 344, 350, 373, 385, 397, 417, 430,
  444, 450, 460, 468, 473, 491, 497, 502, 508, 514, 520, 525, 531, 543, 555, 568, 578, 584, 595, 600, 605,
  610, 616, 629, 634, 644, 654, 667, 678, 683, 688, 694, 699, 705, 715, 725, 734, 744, 753, 764, 774, 783,
  789, 797, 807, 813, 818, 824, 829, 835, 841, 846, 852, 858, 867, 872, 878, 883, 888, 894, 900, 906, 911,
  917, 922, 927, 933, 965, 975, 1005, 1015, 1045, 1071, 1080, 1103, 1114, 1129, 1134, 1139, 1145, 1154,
  1164, 1176, 1185, 1196, 1202, 1208, 1217, 1227, 1257, 1280, 1286, 1295, 1314, 1319, 1324, 1330, 1341,
  1352, 1364, 1376, 1404, 1418, 1426, 1436, 1441, 1447, 1452, 1458, 1463, 1468, 1473, 1485, 1491, 1502,
  1513, 1519, 1528, 1540, 1563, 1579, 1584, 1590, 1595, 1615, 1640, 1645, 1650, 1655, 1662, 1668, 1678,
  1686, 1694, 1702, 1718, 1726, 1735, 1741, 1747, 1765, 1774, 1779, 1786, 1793, 1801, 1807, 1812, 1817,
  1822, 1828, 1833, 1838, 1853, 1875, 1881, 1887, 1893, 1899, 1910, 1921, 1927, 1953, 1978, 2005, 2047,
  2057, 2065, 2084, 2098, 2109, 2125, 2136, 2167, 2181, 2211, 2225, 2239, 2252, 2266, 2278, 2292, 2298,
  2303, 2309, 2319, 2329, 2339, 2349, 2354, 2360, 2367, 2377, 2383, 2388, 2393, 2398, 2404, 2409, 2415,
  2421, 2430, 2435, 2441, 2451, 2462, 2478, 2490, 2501, 2513, 2523, 2528, 2563, 2604, 2635, 2668, 2708,
  2721, 2731, 2737, 2751, 2763, 2768, 2774, 2785, 2790, 2795, 2801, 2807, 2812, 2818, 2829, 2844, 2864,
  2871, 2877, 2887, 2899, 2904, 2910, 2937, 2949, 2954, 2960, 2970, 2975, 2983, 2990, 2995, 3001, 3009,
  3024, 3029, 3036, 3041, 3054, 3065, 3075, 3094, 3099, 3105, 3115, 3120, 3126, 3139, 3151, 3157, 3167,
  3176, 3186, 3192, 3208, 3233, 3243, 3253, 3263, 3274, 3279, 3291, 3312, 3318, 3329, 3347, 3373, 3402,
  3417, 3455, 3490, 3518, 3545, 3572, 3599, 3629, 3658, 3663, 3670, 3676, 3686, 3697, 3709, 3720, 3725,
  3731, 3736, 3742, 3747, 3752, 3757, 3763, 3772, 3781, 3791, 3804, 3816, 3834, 3849, 3867, 3884, 3912,
  3918, 3924, 3951, 3977, 3985, 3990, 3996, 4004, 4023, 4032, 4037, 4043, 4048, 4053, 4078, 4084, 4094,
  4105, 4115, 4120, 4125, 4131, 4136, 4142, 4150, 4155, 4166, 4172, 4184, 4190, 4195, 4201, 4206, 4212,
  4217, 4223, 4229, 4234, 4239, 4244, 4258, 4273, 4287, 4312, 4329, 4335, 4341, 4356, 4364, 4373, 4382,
  4394, 4404, 4419, 4433, 4439, 4455, 4473, 4499, 4517, 4522, 4527, 4533, 4538, 4551, 4558, 4570, 4581,
  4587, 4596, 4611, 4617, 4623, 4632, 4637, 4642, 4650, 4677, 4703, 4735, 4744, 4765, 4784, 4789, 4795,
  4800, 4806, 4811, 4817, 4827, 4837, 4847, 4873, 4884, 4905, 4917, 4928, 4944, 4958, 4977, 5022, 5032,
  5037, 5043, 5054, 5059, 5065, 5070, 5076, 5086, 5096, 5106, 5111, 5117, 5122, 5132, 5149, 5159, 5180,
  5185, 5190, 5196, 5201, 5207, 5214, 5249, 5275, 5283, 5292, 5304, 5309, 5315, 5320, 5325, 5332, 5349,
  5373, 5380, 5390, 5410, 5416, 5425, 5435, 5445, 5451, 5457, 5462, 5468, 5499, 5523, 5564, 5594, 5622,
  5631, 5641, 5651, 5662, 5674, 5680, 5689, 5699, 5704, 5710, 5719, 5741, 5759, 5768, 5778, 5786, 5799,
  5805, 5815, 5823, 5831, 5839, 5844, 5853, 5859, 5864, 5869, 5875, 5884, 5889, 5895, 5904, 5910, 5923,
  5928, 5945, 5951, 5959, 5964, 5970, 5975, 5981, 5986, 6005, 6024, 6042, 6062, 6081, 6101, 6120, 6139,
  6157, 6180, 6197, 6215, 6235, 6261, 6296, 6313, 6319, 6330, 6335, 6340, 6346, 6358, 6377, 6400, 6427,
  6449, 6468, 6487, 6493, 6501, 6536, 6557, 6570, 6581, 6599, 6612, 6650, 6671, 6680, 6685, 6690, 6700,
  6711, 6720, 6725, 6731, 6736, 6753, 6766, 6771, 6776, 6782, 6791, 6822, 6829, 6841, 6850, 6860, 6865,
  6871, 6877, 6883, 6888, 6894, 6913, 6923, 6933, 6943, 6953, 6964, 6975, 6986, 6991, 7001, 7009, 7032,
  7038, 7054, 7064, 7074, 7086, 7097, 7108, 7119, 7124, 7130, 7135, 7140, 7146, 7151, 7157, 7162, 7176,
  7182, 7195, 7207, 7220, 7225, 7231, 7236, 7241, 7247, 7255, 7268, 7279, 7295, 7337, 7345, 7356, 7368,
  7407, 7420, 7426, 7441, 7457, 7466, 7477, 7488, 7495, 7503, 7511, 7522, 7528, 7546, 7559, 7572, 7584,
  7594, 7599, 7605, 7610, 7616, 7622, 7628, 7633, 7643, 7649, 7658, 7667, 7677, 7682, 7687, 7692, 7698,
  7711, 7741, 7760, 7765, 7771, 7776, 7782, 7788, 7793, 7799, 7804, 7810, 7816, 7822, 7827, 7837, 7857,
  7880, 7889, 7900, 7913, 7926, 7936, 7942, 7955, 7960, 7965, 7970, 7976, 7981, 7987, 7992, 7998, 8003,
  8009, 8014, 8019, 8025, 8030, 8035, 8045, 8060, 8066, 8072, 8077, 8082, 8088, 8098, 8115, 8123, 8128,
  8134, 8139, 8151, 8159, 8165, 8179, 8202, 8215, 8230, 8243, 8248, 8254, 8259, 8265, 8270, 8276, 8288,
  8302, 8317, 8325, 8335, 8341, 8348, 8353, 8359, 8364, 8376, 8382, 8398, 8406, 8424, 8449, 8462, 8479,
  8489, 8499, 8510, 8519, 8530, 8548, 8563, 8568, 8574, 8579, 8585, 8590, 8605, 8620, 8625, 8631, 8642,
  8656, 8665, 8670, 8677, 8683, 8696, 8709, 8714, 8727, 8742, 8756, 8762, 8773, 8781, 8793, 8812, 8837,
  8860, 8891, 8897, 8906, 8923, 8934, 8944, 8950, 8955, 8992, 9022, 9047, 9089, 9095, 9103, 9110, 9115,
  9120, 9125, 9139, 9145, 9156, 9174, 9179, 9184, 9214, 9220, 9225, 9230, 9236, 9242, 9251, 9259, 9269,
  9279, 9288, 9301, 9312, 9333, 9354, 9359, 9369, 9375, 9399, 9429, 9452, 9458, 9482, 9488, 9494, 9499,
  9505, 9510, 9523, 9528, 9533, 9539, 9544, 9550, 9558, 9563, 9576, 9589, 9606, 9623, 9642, 9662, 9681,
  9701, 9721, 9744, 9764, 9782, 9815, 9836, 9857, 9877, 9899, 9920, 9942, 9959, 9977, 9998, 10020, 10044,
  10064, 10081, 10100, 10121, 10141, 10164, 10193, 10213, 10230, 10250, 10268, 10290, 10309, 10334, 10353,
  10371, 10392, 10412, 10430, 10452, 10469, 10489, 10512, 10535, 10553, 10574, 10592, 10611, 10631, 10653,
  10676, 10695, 10716, 10733, 10751, 10773, 10793, 10816, 10836, 10856, 10874, 10896, 10923, 10941, 10960,
  10981, 10998, 11017, 11036, 11058, 11078, 11097, 11120, 11144, 11166, 11187, 11211, 11234, 11255, 11278,
  11299, 11321, 11352, 11373, 11400, 11434, 11469, 11490, 11520, 11540, 11559, 11579, 11598, 11621, 11641,
  11659, 11678, 11699, 11720, 11737, 11757, 11775, 11794, 11813, 11830, 11847, 11866, 11885, 11905, 11922,
  11944, 11960, 11977, 11998, 12018, 12037, 12059, 12079, 12085, 12095, 12100, 12121, 12132, 12142, 12152,
  12158, 12169, 12182, 12187, 12192, 12204, 12214, 12225, 12231, 12239, 12249, 12258, 12278, 12287, 12308,
  12330, 12353, 12364, 12369, 12375, 12384, 12403, 12408, 12426, 12440, 12453, 12467, 12507, 12520, 12541,
  12554, 12567, 12581, 12604, 12628, 12653, 12668, 12696, 12727, 12735, 12747, 12757, 12778, 12784, 12798,
  12803, 12808, 12819, 12829, 12840, 12845, 12851, 12856, 12862, 12872, 12881, 12894, 12899, 12905, 12911,
  12916, 12922, 12927, 12941, 12953, 12983, 12997, 13020, 13025, 13031, 13036, 13041, 13047, 13053, 13066,
  13077, 13094, 13106, 13117, 13128, 13140, 13152, 13173, 13184, 13196, 13218, 13230, 13236, 13241, 13247,
  13252, 13257, 13286, 13303, 13309, 13319, 13333, 13348, 13386, 13427, 13440, 13453, 13462, 13470, 13480,
  13489, 13495, 13500, 13506, 13517, 13522, 13528, 13533, 13547, 13564, 13580, 13596, 13611, 13630, 13645,
  13658, 13679, 13694, 13705, 13715, 13726, 13763, 13773, 13791, 13801, 13812, 13832, 13853, 13859, 13881,
  13893, 13918, 13946, 13958, 13970, 13978, 13989, 13998, 14011, 14019, 14031, 14039, 14048, 14056, 14074,
  14082, 14088, 14099, 14104, 14115, 14137, 14166, 14176, 14185, 14196, 14202, 14208, 14220, 14226, 14235,
  14256, 14270, 14276, 14281, 14287, 14292, 14298, 14304, 14312, 14333, 14338, 14343, 14352, 14376, 14389,
  14400, 14430, 14457, 14462, 14468, 14474, 14485, 14490, 14495, 14500, 14506, 14511, 14517, 14528, 14541,
  14546, 14552, 14557, 14563, 14569, 14574, 14580, 14585, 14590, 14595, 14602, 14621, 14631, 14637, 14645,
  14650, 14661, 14681, 14698, 14711, 14734, 14745, 14768, 14773, 14779, 14789, 14795, 14805, 14811, 14821,
  14830, 14839, 14849, 14859, 14874, 14891, 14915, 14925, 14935, 14941, 14950, 14955, 14960, 14966, 14971,
  14977, 14982, 14988, 14998, 15008, 15013, 15019, 15028, 15033, 15039, 15049, 15054, 15060, 15069, 15080,
  15097, 15117, 15138, 15154, 15202, 15224, 15251, 15266, 15301, 15325, 15353, 15363, 15369, 15374, 15380,
  15400, 15418, 15423, 15428, 15434, 15447, 15452, 15462, 15468, 15478, 15492, 15511, 15516, 15522, 15527,
  15533, 15545, 15577, 15591, 15616, 15640, 15660, 15690, 15718, 15736, 15764, 15785, 15838, 15843, 15849,
  15854, 15864, 15870, 15893, 15926, 15944, 15949, 15955, 15977, 15998, 16018, 16044, 16063, 16068, 16074,
  16082, 16100, 16118, 16134, 16139, 16145, 16150, 16156, 16161, 16167, 16172, 16178, 16186, 16197, 16202,
  16207, 16213, 16222, 16233, 16238, 16244, 16257, 16269, 16274, 16280, 16289, 16303, 16325,
};

#endif
