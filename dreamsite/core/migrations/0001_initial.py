
import django.core.validators
import django.db.models.functions.text
import django.utils.timezone
import dreamsite.core.models
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='WorkerHeartbeat',
            fields=[
                ('worker', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Appearance',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(default='Dreamsite', help_text='Stands at the top of every page, and where it is shared.', max_length=40, verbose_name='name')),
                ('accent', models.CharField(blank=True, help_text='Of buttons and links. It is made lighter or darker where it could not be read. Empty: the site’s own.', max_length=7, validators=[django.core.validators.RegexValidator('\\A#[0-9a-f]{6}\\Z', 'Write a colour like #f2bd8d.')], verbose_name='colour')),
                ('logo', models.BinaryField(blank=True, default=b'')),
            ],
            options={
                'verbose_name': 'name and look',
                'verbose_name_plural': 'name and look',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='appearance_one_row')],
            },
        ),
        migrations.CreateModel(
            name='SiteState',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('claimed_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('backed_up_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('steps_skipped', models.JSONField(blank=True, default=list, editable=False)),
            ],
            options={
                'verbose_name': 'the project and its end',
                'verbose_name_plural': 'the project and its end',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='sitestate_one_row')],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('username', models.CharField(error_messages={'unique': 'Somebody has this name already.'}, help_text='2 to 24 letters, digits, dots, dashes or underscores. Everybody sees it.', max_length=24, unique=True, validators=[django.core.validators.MinLengthValidator(2), django.core.validators.RegexValidator('\\A[A-Za-z0-9][A-Za-z0-9._-]*\\Z', 'Use letters, digits, dots, dashes and underscores, beginning with a letter or a digit.')], verbose_name='username')),
                ('skeleton', models.CharField(editable=False, max_length=24, unique=True)),
                ('guest', models.BooleanField(default=False, editable=False, verbose_name='guest')),
                ('language', models.CharField(blank=True, editable=False, max_length=10, verbose_name='language')),
                ('closes_at', models.DateTimeField(blank=True, db_index=True, editable=False, null=True, verbose_name='closes at')),
                ('closed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='closed at')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('username'), name='user_username_any_case', violation_error_message='Somebody has this name already.')],
            },
            managers=[
                ('objects', dreamsite.core.models.Users()),
            ],
        ),
    ]
