
import canvas.models.canvas
import canvas.models.people
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('core', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Canvas',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=40, unique=True)),
                ('title', models.CharField(max_length=80)),
                ('width', models.PositiveIntegerField(default=canvas.models.canvas.default_side, validators=[django.core.validators.MinValueValidator(64), django.core.validators.MaxValueValidator(3840)])),
                ('height', models.PositiveIntegerField(default=canvas.models.canvas.default_side, validators=[django.core.validators.MinValueValidator(64), django.core.validators.MaxValueValidator(3840)])),
                ('background', models.CharField(default='#ffffff', max_length=7, validators=[django.core.validators.RegexValidator('^#[0-9a-f]{6}$', 'A colour like #ffffff.')])),
                ('front', models.FloatField(default=0.125, help_text='How far from new ink a dream works, as a share of the shorter side. 0: the whole canvas at once.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(2)], verbose_name='growth front')),
                ('growth', models.FloatField(default=0.08, help_text='How much further the front comes with each dream, as a share of the shorter side.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(2)], verbose_name='growth')),
                ('hold', models.FloatField(default=0.9, help_text='How much of its place, tone and colour new ink keeps in a dream: 0 nothing, 1 all. It fades.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(1)], verbose_name='hold')),
                ('rhythm', models.FloatField(blank=True, help_text='Seconds from dream to dream. Empty: as the whole site.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(86400)], verbose_name='rhythm')),
                ('maker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='canvases', to=settings.AUTH_USER_MODEL)),
                ('by_member', models.BooleanField(default=False, editable=False)),
                ('listed', models.BooleanField(default=True, help_text='Everybody finds it. Otherwise only those who have its link see it.', verbose_name='listed')),
                ('listing_asked_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('closed_at', models.DateTimeField(blank=True, help_text='Nobody draws here any more.', null=True, verbose_name='closed')),
                ('archived_at', models.DateTimeField(blank=True, null=True, verbose_name='archived')),
                ('deleted_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('daily', models.BooleanField(default=False, help_text='It begins anew each day; each day goes to the archive.', verbose_name='daily')),
                ('day_of', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='days', to='canvas.canvas')),
                ('day', models.DateField(blank=True, editable=False, null=True)),
                ('head', models.BigIntegerField(default=0, editable=False)),
                ('visibility', models.PositiveIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                'verbose_name_plural': 'canvases',
                'constraints': [models.UniqueConstraint(fields=('day_of', 'day'), name='canvas_day'), models.CheckConstraint(condition=models.Q(('archived_at', None), models.Q(('closed_at', None), _negated=True), _connector='OR'), name='canvas_archived_is_closed')],
            },
        ),
        migrations.CreateModel(
            name='CleanHours',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='clean_hours', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('hours', models.PositiveIntegerField(default=0)),
                ('last_hour', models.PositiveIntegerField(default=0, editable=False)),
                ('day', models.PositiveIntegerField(default=0, editable=False)),
                ('today', models.PositiveSmallIntegerField(default=0, editable=False)),
            ],
            options={
                'verbose_name_plural': 'clean hours',
            },
        ),
        migrations.CreateModel(
            name='Frame',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='Counts from 1 within the canvas, without gaps.')),
                ('seq', models.BigIntegerField()),
                ('base', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='canvas.frame')),
                ('kind', models.CharField(choices=[('dream', 'Dream'), ('checkpoint', 'Drawing'), ('restored', 'Restored')], default='dream', max_length=12)),
                ('made_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ('picture', models.FileField(max_length=200, upload_to='')),
                ('thumbnail', models.FileField(max_length=200, upload_to='')),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('size', models.PositiveBigIntegerField(help_text="Bytes of the picture's file.")),
                ('sha256', models.CharField(max_length=64)),
                ('thumbnail_size', models.PositiveIntegerField(default=0)),
                ('thumbnail_sha256', models.CharField(blank=True, max_length=64)),
                ('thinned_at', models.DateTimeField(blank=True, null=True)),
                ('recipe', models.JSONField(blank=True, default=dict)),
                ('title', models.CharField(blank=True, max_length=120)),
                ('seconds', models.FloatField(default=0.0, help_text='How long the dream took.')),
                ('device', models.CharField(blank=True, max_length=8)),
                ('hidden_at', models.DateTimeField(blank=True, null=True)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='frames', to='canvas.canvas')),
                ('contributors', models.ManyToManyField(blank=True, related_name='frames', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Dream',
            fields=[
                ('canvas', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='dream', serialize=False, to='canvas.canvas')),
                ('holder', models.CharField(blank=True, max_length=32)),
                ('expires_at', models.DateTimeField(null=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('dreaming', 'Dreaming'), ('resting', 'Resting'), ('no-model', 'No Model'), ('paused', 'Paused'), ('failed', 'Failed')], default='waiting', max_length=12)),
                ('message', models.CharField(blank=True, max_length=300)),
                ('position', models.BigIntegerField(default=0)),
                ('fraction', models.FloatField(default=0.0)),
                ('octave', models.PositiveSmallIntegerField(default=0)),
                ('octaves', models.PositiveSmallIntegerField(default=0)),
                ('next_at', models.DateTimeField(null=True)),
                ('missed', models.PositiveIntegerField(default=0)),
                ('device', models.CharField(blank=True, max_length=8)),
                ('style', models.JSONField(default=dict)),
                ('style_until', models.DateTimeField(null=True)),
                ('style_wanted', models.BooleanField(default=False)),
                ('style_named', models.JSONField(default=None, null=True)),
                ('paused', models.BooleanField(default=False)),
                ('guess', models.JSONField(default=None, null=True)),
                ('coming', models.JSONField(default=None, null=True)),
                ('arriving', models.JSONField(default=None, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='IndexProgress',
            fields=[
                ('canvas', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='index_progress', serialize=False, to='canvas.canvas')),
                ('seq', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Rules',
            fields=[
                ('canvas', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='rules', serialize=False, to='canvas.canvas')),
                ('frozen', models.BooleanField(default=False, help_text='Nobody can draw or take back.', verbose_name='frozen')),
                ('frozen_why', models.CharField(blank=True, help_text='Everybody sees it.', max_length=200, verbose_name='why it is frozen')),
                ('slow', models.PositiveSmallIntegerField(default=1, help_text="1: off. N: everybody has a newcomer's ink, and so many times less of it.", validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(20)], verbose_name='slow mode')),
                ('newcomers_after', models.DateTimeField(blank=True, help_text='Accounts made after this moment may not draw.', null=True, verbose_name='signed up before')),
                ('version', models.PositiveBigIntegerField(default=1, editable=False)),
                ('reactions', models.BooleanField(default=True, help_text='People may leave marks at places.', verbose_name='marks')),
                ('members_only', models.BooleanField(default=False, help_text='Guests, who have not signed up, may not draw.', verbose_name='members only')),
            ],
            options={
                'verbose_name': 'rules',
                'verbose_name_plural': 'rules',
            },
        ),
        migrations.CreateModel(
            name='Growth',
            fields=[
                ('frame', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='growth', serialize=False, to='canvas.frame')),
                ('packed', models.BinaryField()),
            ],
        ),
        migrations.AddField(
            model_name='canvas',
            name='frame',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='canvas.frame'),
        ),
        migrations.CreateModel(
            name='Region',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('lock', 'Locked'), ('cover', 'Covered')], default='lock', max_length=8)),
                ('x', models.PositiveIntegerField()),
                ('y', models.PositiveIntegerField()),
                ('width', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
                ('height', models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
                ('why', models.CharField(blank=True, help_text='Everybody sees it.', max_length=200, verbose_name='why')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('until', models.DateTimeField(blank=True, help_text='Empty: until somebody lifts it.', null=True, verbose_name='until')),
                ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='lifted')),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='regions', to='canvas.canvas')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Sanction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('degree', models.CharField(choices=canvas.models.people.degree_choices, max_length=12, verbose_name='degree')),
                ('reason', models.TextField(help_text='The person sees it.', max_length=1000, verbose_name='reason')),
                ('starts_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='from')),
                ('until', models.DateTimeField(blank=True, help_text='Empty: until it is lifted.', null=True, verbose_name='until')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('acknowledged_at', models.DateTimeField(blank=True, null=True, verbose_name='acknowledged')),
                ('lifted_at', models.DateTimeField(blank=True, null=True, verbose_name='lifted')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sanctions_issued', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sanctions_lifted', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sanctions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-starts_at'],
            },
        ),
        migrations.CreateModel(
            name='Stroke',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author', models.PositiveBigIntegerField()),
                ('stroke_id', models.BigIntegerField()),
                ('first_seq', models.BigIntegerField()),
                ('last_seq', models.BigIntegerField()),
                ('began_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField()),
                ('left', models.SmallIntegerField()),
                ('top', models.SmallIntegerField()),
                ('right', models.SmallIntegerField()),
                ('bottom', models.SmallIntegerField()),
                ('colour', models.CharField(max_length=7)),
                ('opacity', models.PositiveSmallIntegerField()),
                ('width', models.FloatField()),
                ('pieces', models.PositiveIntegerField()),
                ('points', models.PositiveIntegerField()),
                ('finished', models.BooleanField(default=False)),
                ('undone_seq', models.BigIntegerField(null=True)),
                ('hidden', models.PositiveIntegerField(default=0)),
                ('hidden_numbers', models.JSONField(default=list)),
                ('hidden_seq', models.BigIntegerField(null=True)),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='strokes', to='canvas.canvas')),
            ],
        ),
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.BigIntegerField()),
                ('last', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('payload', models.BinaryField()),
                ('canvas', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='canvas.canvas')),
            ],
            options={
                'indexes': [models.Index(fields=['canvas', 'last'], name='canvas_batc_canvas__2dcd4a_idx'), models.Index(fields=['canvas', 'at'], name='canvas_batc_canvas__43a091_idx')],
                'constraints': [models.UniqueConstraint(fields=('canvas', 'first'), name='batch_first'), models.CheckConstraint(condition=models.Q(('last__gte', models.F('first'))), name='batch_not_empty')],
            },
        ),
        migrations.AddIndex(
            model_name='frame',
            index=models.Index(fields=['canvas', 'seq', 'number'], name='frame_seq'),
        ),
        migrations.AddIndex(
            model_name='frame',
            index=models.Index(fields=['canvas', 'made_at', 'number'], name='canvas_fram_canvas__a52972_idx'),
        ),
        migrations.AddConstraint(
            model_name='frame',
            constraint=models.UniqueConstraint(fields=('canvas', 'number'), name='frame_number'),
        ),
        migrations.AddIndex(
            model_name='region',
            index=models.Index(fields=['canvas', 'lifted_at', 'until'], name='region_in_force'),
        ),
        migrations.AddConstraint(
            model_name='region',
            constraint=models.CheckConstraint(condition=models.Q(('height__gt', 0), ('width__gt', 0)), name='region_not_empty'),
        ),
        migrations.AddIndex(
            model_name='sanction',
            index=models.Index(fields=['user', 'lifted_at', 'until'], name='sanction_in_force'),
        ),
        migrations.AddConstraint(
            model_name='sanction',
            constraint=models.CheckConstraint(condition=models.Q(('lifted_by', None), models.Q(('lifted_by', models.F('user')), _negated=True), _connector='OR'), name='sanction_not_lifted_by_oneself', violation_error_message='Nobody lifts a sanction against themselves.'),
        ),
        migrations.AddIndex(
            model_name='stroke',
            index=models.Index(fields=['canvas', 'ended_at', 'left', 'top', 'right', 'bottom'], name='stroke_position'),
        ),
        migrations.AddIndex(
            model_name='stroke',
            index=models.Index(fields=['canvas', 'author', 'ended_at'], name='stroke_person'),
        ),
        migrations.AddIndex(
            model_name='stroke',
            index=models.Index(fields=['author', 'ended_at'], name='stroke_author'),
        ),
        migrations.AddIndex(
            model_name='stroke',
            index=models.Index(fields=['canvas', 'last_seq'], name='stroke_number'),
        ),
        migrations.AddConstraint(
            model_name='stroke',
            constraint=models.UniqueConstraint(fields=('canvas', 'author', 'stroke_id'), name='stroke_once'),
        ),
    ]
