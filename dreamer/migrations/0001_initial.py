
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('canvas', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Choice',
            fields=[
                ('canvas', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='choice', serialize=False, to='canvas.canvas')),
                ('network', models.CharField(blank=True, max_length=64, verbose_name='network')),
                ('surprises', models.BooleanField(default=True, verbose_name='surprises')),
            ],
        ),
        migrations.CreateModel(
            name='Network',
            fields=[
                ('name', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('sha256', models.CharField(max_length=64)),
                ('seconds', models.FloatField()),
                ('side', models.PositiveIntegerField()),
                ('device', models.CharField(max_length=8)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'network',
                'verbose_name_plural': 'networks',
            },
        ),
        migrations.CreateModel(
            name='OwnStyle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.CharField(max_length=64)),
                ('layer', models.CharField(max_length=200)),
                ('channel', models.PositiveIntegerField(null=True)),
                ('title', models.CharField(max_length=120)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Guess',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.CharField(max_length=64)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('seq', models.BigIntegerField()),
                ('left', models.PositiveSmallIntegerField()),
                ('top', models.PositiveSmallIntegerField()),
                ('right', models.PositiveSmallIntegerField()),
                ('bottom', models.PositiveSmallIntegerField()),
                ('authors', models.JSONField(default=list)),
                ('words', models.JSONField(default=list)),
                ('chosen', models.PositiveSmallIntegerField(null=True)),
                ('by_author', models.BooleanField(default=False)),
                ('dreams_left', models.PositiveSmallIntegerField(default=0)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='guesses', to='canvas.canvas')),
            ],
            options={
                'verbose_name_plural': 'guesses',
                'indexes': [models.Index(condition=models.Q(('dreams_left__gt', 0)), fields=['canvas'], name='guess_leading'), models.Index(fields=['canvas', 'made_at'], name='guess_time')],
            },
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('fetch', 'Fetching'), ('import', 'Importing'), ('measure', 'Measuring the speed of'), ('pictures', 'Dreaming the styles’ pictures of'), ('preview', 'Dreaming a preview with')], max_length=10)),
                ('network', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='waiting', max_length=10)),
                ('edition', models.PositiveIntegerField(default=1)),
                ('holder', models.CharField(blank=True, max_length=64)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('done', models.BigIntegerField(default=0)),
                ('total', models.BigIntegerField(default=0)),
                ('message', models.TextField(blank=True)),
                ('options', models.JSONField(default=dict)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'running'])), fields=['state'], name='job_open')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'network'), name='job_one_of_a_kind')],
            },
        ),
        migrations.CreateModel(
            name='StyleOff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network', models.CharField(max_length=64)),
                ('style', models.CharField(max_length=220)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='styles_off', to='canvas.canvas')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('canvas', 'network', 'style'), name='style_off_once')],
            },
        ),
    ]
