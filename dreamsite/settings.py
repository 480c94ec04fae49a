"""Every setting comes from the environment and has a default; docs/settings.md lists them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import django_stubs_ext
from django.core.exceptions import ImproperlyConfigured

from dreamsite import stores
from dreamsite.accounts import providers
from dreamsite.core import addresses as core_addresses
from dreamsite.env import Env, kept_secret
from gallery.donations import addresses

BASE_DIR = Path(__file__).resolve().parent.parent
env = Env()
django_stubs_ext.monkeypatch()  # ModelAdmin[Model] and its like, which type checkers ask for, work at run time too

# Where state lives: database, frames, models, the secret key. One folder to back up.
VAR_DIR = Path(env.text("DREAMSITE_VAR") or BASE_DIR / "var").resolve()
# Closed to others: the database has everybody's password hashes, the sessions and the mail addresses.
VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)

# --- Address: hosts, origins and cookie flags follow from SITE_URL -------------------------------------------------
PORT = env.integer("PORT", 8000, low=1, high=65535)
SITE_URL = env.site_url("SITE_URL", f"http://localhost:{PORT}")
_site = urlsplit(SITE_URL)
_local = _site.hostname in ("localhost", "127.0.0.1", "::1")
SITE_HOST = _site.hostname or ""
_hosts = ["localhost", "127.0.0.1", "[::1]"] if _local else [_site.hostname]
SITE_ORIGINS = [f"{_site.scheme}://{host}" + (f":{_site.port}" if _site.port else "") for host in _hosts]
# On a laptop the address may be a forwarded port: the host check stays, the port is left to SITE_ORIGINS.
ALLOWED_HOSTS = _hosts
CSRF_TRUSTED_ORIGINS = SITE_ORIGINS
CSRF_FAILURE_VIEW = "dreamsite.core.errors.csrf_failure"
HTTPS = _site.scheme == "https"

SECRET_KEY_FALLBACKS = env.secret("SECRET_KEY_FALLBACKS").split()  # still open what they closed, sign nothing new
SECRET_KEY = env.secret("SECRET_KEY") or kept_secret(VAR_DIR / "secret-key")
DEBUG = env.flag("DEBUG", False)
# A proxy in front that overwrites X-Forwarded-Proto and X-Forwarded-For.
BEHIND_PROXY = env.flag("BEHIND_PROXY", False)
# How many proxies of ours stand one behind the other: so many entries at the end of X-Forwarded-For are believed.
PROXIES = env.integer("PROXIES", 1, low=1, high=10) if BEHIND_PROXY else 0
SOCKETS_PER_ADDRESS = env.integer("SOCKETS_PER_ADDRESS", 100, low=1, high=1_000_000)  # in each web process
ROOMS = env.integer("ROOMS", 40, low=1, high=10_000)  # canvases of members open at once in each web process
WEB_PROCESSES = env.integer("WEB_PROCESSES", 1, low=1, high=256)
# Seconds between "not ready" and the end's beginning: until whoever asks /readyz has asked again.
STOP_DELAY = env.number("STOP_DELAY", 0.0, low=0.0, high=300.0)

# --- For those who watch over it -----------------------------------------------------------------------------------
METRICS_TOKEN = env.secret("METRICS_TOKEN")  # opens /metrics and the details of /readyz from elsewhere
METRICS_ADDRESS = env.parsed("METRICS_ADDRESS", stores.host_and_port, None)  # of dreamers and workers

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "dreamsite.core.sessions"  # under the digests of their keys
SESSION_COOKIE_AGE = 60 * 60 * 24 * 60
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
# For its own host only, unless told otherwise: at an apex domain the rest of the owner's hosts would have to be https
# for a year. And browsers' preload lists, which take longer still to leave, are the owner's to ask for in the proxy.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS and env.flag("HSTS_SUBDOMAINS", False)
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they ask for just those two
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY and HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Probes come from inside, by plain http, and by whatever address the process has there.
ANY_HOST = ("/healthz", "/readyz", "/metrics")
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]

# Sign-in through other sites: those whose keys are in the environment.
_social = providers.configured(env)

# --- Applications --------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "dreamsite.core",
    "dreamsite",
    "canvas",
    "canvas.moderation",
    "gallery",
    "dreamer",
    "dreamsite.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "channels",
    "django_tasks",
    "django_tasks_db",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "dreamsite.apps.UserSessionsConfig",
    "allauth.socialaccount",
    *_social.apps,
]
MIDDLEWARE = [
    "dreamsite.core.middleware.one_address",  # first: those after it may write addresses
    "django.middleware.security.SecurityMiddleware",
    "dreamsite.core.middleware.security_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "dreamsite.core.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "canvas.moderation.sanctions.middleware.SuspendedMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "dreamsite.accounts.sessions.note_sessions",
    "dreamsite.accounts.known.note_browsers",
    "dreamsite.core.middleware.answer_conflicts",  # last: the view is asked again, and nothing around it
]
ROOT_URLCONF = "dreamsite.urls"
ASGI_APPLICATION = "dreamsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dreamsite.accounts.views.sign_in_options",
                "gallery.farewell.views.project_ended",
                "dreamsite.core.appearance.context",
                "django.template.context_processors.i18n",
                "dreamsite.core.languages.context",
            ]
        },
    }
]
# The admin's path is a setting so that it need not be where every scanner looks first.
ADMIN_PATH = env.text("ADMIN_PATH", "staff").strip("/")
CONTACT = env.contact("CONTACT")  # of the people who run the site, at the foot of every page
SOURCE_URL = env.contact("SOURCE_URL")  # where the program that runs here is to be had
SECURITY_CONTACT = env.contact("SECURITY_CONTACT")  # for /.well-known/security.txt
ADMIN_TWO_FACTOR = env.flag("ADMIN_TWO_FACTOR", True)
SECOND_FACTOR = "dreamsite.accounts.staff.second_factor_given"

# --- Database ------------------------------------------------------------------------------------------------------
DATABASES = {"default": stores.database(env.secret("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'dreamsite.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis: the layer between web processes, and the shared cache that rate limits count in --------------------------
# The default cache holds rate limits and nothing that a page could put there; in memory it has room for all that a
# few hundred addresses can make it count in five minutes, the longest that a guessed name stays locked.
_LIMITS_KEPT = 100_000
REDIS_URL = env.secret("REDIS_URL")
CACHES: dict[str, dict[str, Any]]
if REDIS_URL:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [
                    {
                        "address": REDIS_URL,
                        "socket_timeout": None,  # a quiet canvas is not a dead connection
                        "socket_connect_timeout": 5,
                        "health_check_interval": 30,
                        "max_connections": 64,
                    }
                ],
                "prefix": "dreamsite",
            },
        }
    }
    CACHES = {
        "default": {
            # Rate limits are asked at every sign-in: a Redis that froze must not hold the thread, nor close the door.
            "BACKEND": "dreamsite.cache.SteadyRedisCache",
            "LOCATION": REDIS_URL,
            "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
            "max_entries": _LIMITS_KEPT,  # of its memory, while Redis is away
        }
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    CACHES = {
        "default": {
            "BACKEND": "dreamsite.cache.SteadyMemoryCache",
            "LOCATION": "limits",
            "OPTIONS": {"MAX_ENTRIES": _LIMITS_KEPT},
        }
    }
# What pages counted or measured, for seconds: strangers choose its keys, so it is small, and never in Redis.
CACHES["pages"] = {
    "BACKEND": "dreamsite.cache.SteadyMemoryCache",
    "LOCATION": "pages",
    "OPTIONS": {"MAX_ENTRIES": 1_000},
}

# --- Background work: dreamsite.core.tasks --------------------------------------------------------------------------
TASKS_BACKEND = env.choice("TASKS_BACKEND", "database", ("database", "redis"))
TASKS = {
    "default": {
        "BACKEND": {"database": "django_tasks_db.DatabaseBackend", "redis": "django_tasks_rq.RQBackend"}[TASKS_BACKEND],
        "QUEUES": ["default", "slow", "networks", "studio"],
    }
}
if TASKS_BACKEND == "redis":
    if not REDIS_URL:
        raise ImproperlyConfigured(
            "TASKS_BACKEND is redis, but REDIS_URL names none: set it, or TASKS_BACKEND=database."
        )
    INSTALLED_APPS += ["django_rq"]
    # Films of months take hours; a task that hangs is ended after a week.
    RQ_QUEUES = {name: {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 7 * 86400} for name in TASKS["default"]["QUEUES"]}

# --- Files ---------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
S3_BUCKET = env.text("S3_BUCKET")
_s3 = {
    "bucket_name": S3_BUCKET,
    "access_key": env.secret("S3_ACCESS_KEY") or None,
    "secret_key": env.secret("S3_SECRET_KEY") or None,
    "endpoint_url": env.text("S3_ENDPOINT_URL") or None,
    "region_name": env.text("S3_REGION") or None,
    # A public host for the bucket: without it each address costs a signature.
    "custom_domain": env.text("S3_PUBLIC_HOST") or None,
    "querystring_auth": not env.text("S3_PUBLIC_HOST"),
    # So long a signed address is valid; for half of it everybody gets the same one, and browsers keep what it gave.
    "querystring_expire": env.integer("S3_ADDRESS_SECONDS", 6 * 3600, low=120, high=7 * 86400),
    "file_overwrite": False,  # as the local storage: a name that is taken is taken
    "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
}
STORAGES = {
    "default": (
        {"BACKEND": "dreamsite.core.buckets.BucketStorage", "OPTIONS": _s3}
        if S3_BUCKET
        else {"BACKEND": "dreamsite.core.storage.DurableStorage"}
    ),
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "dreamsite.static.HashedStaticStorage"
        )
    },
}
# Local frames are served by the site itself; a bucket serves its own.
SERVE_MEDIA = not S3_BUCKET
WHITENOISE_MAX_AGE = 60 * 60
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Accounts ------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "core.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "dreamsite.accounts.hashers.BoundedArgon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
EMAIL_HOST = env.text("MAIL_HOST")
# On a laptop a name and a password are all there is. With a mail server everybody has an address, and has confirmed it.
ACCOUNT_LOGIN_METHODS = {"username", "email"} if EMAIL_HOST else {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*"] if EMAIL_HOST else ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_HOST else "none"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = bool(EMAIL_HOST)
# Not SUPPORTS_CHANGE: allauth offers it for new addresses only, which tells whose are known.
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_NOTIFICATIONS = bool(EMAIL_HOST)
ACCOUNT_CHANGE_EMAIL = True  # one address; a new one takes its place when it is confirmed
ACCOUNT_LOGIN_BY_CODE_ENABLED = True  # offered where a mail server is
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
# Accounts that one address may make in an hour before each costs some seconds of a browser's work.
SIGN_UPS_PER_ADDRESS = env.integer("SIGN_UPS_PER_ADDRESS", 5, low=0, high=100_000)
ACCOUNT_ADAPTER = "dreamsite.accounts.adapter.Adapter"
ACCOUNT_FORMS = {
    "login": "dreamsite.accounts.forms.LoginForm",
    "signup": "dreamsite.accounts.forms.SignupForm",
    "add_email": "dreamsite.accounts.forms.AddEmailForm",
    "request_login_code": "dreamsite.accounts.forms.RequestLoginCodeForm",
    "reset_password": "dreamsite.accounts.forms.ResetPasswordForm",
    "change_password": "dreamsite.accounts.forms.ChangePasswordForm",
}
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_USERNAME_MIN_LENGTH = 2
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
# Beside allauth's own limits; views take theirs with allauth.decorators.rate_limit(action=…).
ACCOUNT_RATE_LIMITS = {
    "guest": "12/10m/ip",
    "login_failed": "10/m/ip,5/5m/key",  # the key: account and address (dreamsite.accounts.adapter)
    "login_known": "10/5m/key",  # account and browser
    "export": "6/h/user",
    "close": "10/h/user",
    "suspended": "10/h/ip",
    "beside_feed": "30/h/key",  # the key: whose feed
    "beside_switch": "20/h/user",
    "canvas_made": "60/h/user",
    "canvas_act": "60/h/user",
    "canvas_changed": "120/h/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = 0  # dreamsite.asgi has put the client's address in its place
GUESTS = env.flag("GUESTS", True)  # people may draw before they sign up
GUEST_VOTES = env.flag("GUEST_VOTES", True)  # and vote for the next style
MFA_ADAPTER = "dreamsite.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # on a laptop nothing verifies one, and a second factor needs none
MFA_TOTP_TOLERANCE = 1  # clocks of telephones go wrong by half a minute
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _local and not HTTPS
MFA_FORMS = {"add_webauthn": "dreamsite.accounts.forms.AddKeyForm"}
SOCIALACCOUNT_PROVIDERS = _social.providers
SOCIALACCOUNT_AUTO_SIGNUP = False  # everybody chooses the name that all will see
SOCIALACCOUNT_ADAPTER = "dreamsite.accounts.adapter.SocialAdapter"
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", f"dreamsite@{_site.hostname}")
EMAIL_PORT = env.integer("MAIL_PORT", 587, low=1, high=65535)
EMAIL_HOST_USER = env.text("MAIL_USER")
EMAIL_HOST_PASSWORD = env.secret("MAIL_PASSWORD")
EMAIL_USE_TLS = env.flag("MAIL_TLS", True)
EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend" if EMAIL_HOST else "django.core.mail.backends.console.EmailBackend"
)

# --- The canvas and the dream --------------------------------------------------------------------------------------
CANVAS_SLUG = env.text("CANVAS_SLUG", "main")
CANVAS_SIZE = env.integer("CANVAS_SIZE", 1536, low=64, high=3840)
MEMBER_CANVASES = env.flag("MEMBER_CANVASES", True)  # members may make canvases of their own
CANVASES_PER_PERSON = env.integer("CANVASES_PER_PERSON", 3, low=1, high=10_000)  # that are not in the archive
CANVASES_ARCHIVED_PER_PERSON = env.integer("CANVASES_ARCHIVED_PER_PERSON", 20, low=0, high=10_000)
CANVASES_PER_DAY = env.integer("CANVASES_PER_DAY", 5, low=1, high=10_000)  # that one person makes within 24 hours
# The sites that may put a frame or a canvas into an iframe of theirs, as frame-ancestors of a Content-Security-Policy.
EMBED_ON = env.parsed("EMBED_ON", core_addresses.embedders, ["*"])
# The zone whose midnight ends the day of a daily canvas.
DAILY_ZONE = env.parsed("DAILY_ZONE", core_addresses.zone, ZoneInfo("UTC"))
MODELS_DIR = Path(env.text("MODELS_DIR") or VAR_DIR / "models").resolve()
HOUSE_MODEL = env.flag("HOUSE_MODEL", True)  # the network that comes with the program is there too
DREAM_MODEL = env.text("DREAM_MODEL")  # a registered model's name; empty: dreamer.registered decides
# The published network that the first start fetches by itself (dreamer.networks.fetching); empty: none.
DREAM_FETCH = env.text("DREAM_FETCH", "" if env.on_a_build_machine else "googlenet")
NETWORK_UPLOAD = env.integer("NETWORK_UPLOAD_MB", 700, low=1, high=100_000) * 1_000_000  # bytes of a network's files
DREAM_INTERVAL = env.number("DREAM_INTERVAL", 30.0, low=0.1, high=86400.0)  # seconds from dream to dream
STYLE_INTERVAL = env.number("STYLE_INTERVAL", 600.0, low=1.0, high=864000.0)  # seconds a style stays
DREAM_DEVICE = env.choice("DREAM_DEVICE", "auto", ("auto", "cpu", "cuda", "openvino"))
DREAM_THREADS = env.integer("DREAM_THREADS", 0, low=0, high=256)  # 0: all cores
DREAM_GPU_MEMORY = env.integer("DREAM_GPU_MEMORY", 0, low=0, high=2**20) * 2**20  # bytes, given in MiB; 0: no limit
DREAM_TF32 = env.flag("DREAM_TF32", True)  # products of 10 bits on graphics cards that have them, of bf16 by OpenVINO
DREAM_GUESSES = env.flag("DREAM_GUESSES", True)  # the network says what it sees in drawings
# Seconds after which a canvas that nobody has drawn on gets a few seeds to dream from; 0: never.
DREAM_SEEDS_AFTER = env.number("DREAM_SEEDS_AFTER", 120.0, low=0, high=8_640_000.0)
# Dreams made of nothing new after the last stroke; then the canvas rests until somebody draws.
DREAM_IDLE_LIMIT = env.integer("DREAM_IDLE_LIMIT", 10, low=0, high=1_000_000)

# --- History -------------------------------------------------------------------------------------------------------
# Dreams that nobody drew on: after so many days one in so many minutes keeps its large picture (gallery/space).
KEEP_ALL_DAYS = env.integer("KEEP_ALL_DAYS", 0, low=0, high=36_500)  # 0: all are kept for ever
KEEP_ONE_MINUTES = env.integer("KEEP_ONE_MINUTES", 10, low=1, high=1_440)
# After so many days a dream that nothing is computed from is stored as AVIF, half as large; 0: never.
KEEP_EXACT_DAYS = env.integer("KEEP_EXACT_DAYS", 0, low=0, high=36_500)
# Under which terms others may use the pictures: gallery.licence says them in words.
LICENCE = env.choice("LICENCE", "cc-by-sa-4.0", ("cc-by-sa-4.0", "cc-by-4.0", "cc0-1.0"))
UPLOAD_CHECK = env.text("UPLOAD_CHECK")  # a command or an address that looks at each upload (gallery.uploads.check)
# Pictures of moments, painted when somebody asks: some 5 MB each, the oldest go.
CACHES["pictures"] = {
    "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
    "LOCATION": str(VAR_DIR / "cache" / "pictures"),
    "TIMEOUT": 7 * 24 * 60 * 60,
    "OPTIONS": {"MAX_ENTRIES": env.integer("MOMENTS_KEPT", 200, low=1, high=100_000)},
}

# --- Donations: read from here only, so that nobody who got into the administration can change where they go ----------
DONATE_BITCOIN = env.parsed("DONATE_BITCOIN", addresses.bitcoin, "")
DONATE_PAYPAL = env.parsed("DONATE_PAYPAL", addresses.paypal, "")
DONATE_LINKS = env.parsed("DONATE_LINKS", addresses.links, addresses.links(""))

# --- Films ---------------------------------------------------------------------------------------------------------
FILM_HOURS = env.integer("FILM_HOURS", 2, low=0, high=24)  # what one film spans; 0: films only when asked for
FILM_SIDE = env.integer("FILM_SIDE", 1536, low=64, high=3840)  # px, the longer side
FILM_AV1 = env.flag("FILM_AV1", True)  # beside H.264: half the bytes, about twice the work
FILM_THREADS = env.integer("FILM_THREADS", 2, low=0, high=64)  # of each encoder; 0: all cores
FILM_FONT = env.text("FILM_FONT")  # a TrueType file for names in other scripts on the cards

# --- Headers (Django 6 names; dreamsite.core.middleware applies them until the upgrade) -------------------------------
_media_hosts = stores.media_hosts(
    S3_BUCKET,
    endpoint=env.text("S3_ENDPOINT_URL"),
    region=env.text("S3_REGION"),
    public_host=env.text("S3_PUBLIC_HOST"),
)
# CSP has no form for IPv6 addresses; there 'self' must do.
_sockets = [origin.replace("http", "ws", 1) for origin in SITE_ORIGINS if "[" not in origin]
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:", "blob:", *_media_hosts],
    "media-src": ["'self'", "blob:", *_media_hosts],
    "connect-src": ["'self'", *_sockets, *_media_hosts],
    "font-src": ["'self'"],
    "manifest-src": ["'self'"],
    "worker-src": ["'self'"],
    "form-action": ["'self'", *_social.hosts],  # browsers ask where a form's answer redirects to, too
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}

# --- Language, time, logs ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# docs/translating.md says how another one is added.
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "español"),
    ("fr", "français"),
    ("pt-br", "português (Brasil)"),
    ("ja", "日本語"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["dreamsite.formats"]
USE_I18N = USE_TZ = True
TIME_ZONE = "UTC"
LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOG_FORMAT = env.choice("LOG_FORMAT", "text", ("text", "json"))
LOGGING_CONFIG = "dreamsite.logs.configure"
DEFAULT_EXCEPTION_REPORTER = "dreamsite.logs.Reporter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"},
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "fmt": ["levelname", "name", "message", "request_id"],
            "rename_fields": {"levelname": "level", "name": "logger"},
            "timestamp": "time",
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "django.db.backends": {"level": "INFO"},  # with DEBUG it tells every query, and whose keys it is about
        "django.channels.server": {"level": "WARNING"},
        # A line for each request: for machines to read.
        "dreamsite.access": {"level": LOG_LEVEL if LOG_FORMAT == "json" else "WARNING"},
        # Away from Redis it writes a traceback a second; the room says the same in one line.
        "channels_redis.pubsub": {"level": "CRITICAL"},
    },
}
